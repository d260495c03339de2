//! Files that need a mapping: the guess, the reading, every refusal.

use super::mapping::MAX_COLUMNS;
use super::*;
use crate::data::formats::matlab::tests::Writer;
use crate::data::{Kind, Layout, synthetic};
use proptest::prelude::*;

fn look(text: &str) -> Preview {
    inspect("mine.csv", text.as_bytes(), None).unwrap()
}

fn guessed(text: &str) -> String {
    look(text).guess.to_string()
}

fn map(text: &str, columns: &str) -> std::result::Result<ImportResult, ImportError> {
    read_mapped("mine.csv", text.as_bytes(), &columns.parse().unwrap())
}

fn refused(text: &str, columns: &str) -> (String, Option<usize>) {
    let refusal = map(text, columns).unwrap_err();
    (refusal.error.to_string(), refusal.column)
}

const MESSY: &str = "\u{feff}Nr;School;\"Score; final\";hours;IQ;set\r\n\
    1;north;3,5;1,25;100;train\r\n\
    2;south;2,25;-0,5;96;TEST\r\n\r\n\
    3;north;\" 1,75 \";2;NA;train\r\n";

#[test]
fn a_messy_semicolon_file_is_understood() {
    let preview = look(MESSY);
    assert_eq!(preview.reading.separator, Separator::Semicolon);
    assert!(preview.reading.decimal_comma && preview.reading.header);
    assert!(!preview.has_our_names);
    assert_eq!(preview.row_count, 3);
    assert_eq!(preview.rows[2].0, 5, "lines are those of the file");
    let score = &preview.columns[2];
    assert_eq!(score.name, "Score; final");
    assert_eq!((score.min, score.max), (Some(1.75), Some(3.5)));
    let iq = &preview.columns[4];
    assert_eq!((iq.missing, iq.first_missing), (1, Some(5)));
    assert_eq!(preview.columns[1].words[0], ("north".to_string(), 2));
    assert_eq!(
        preview.guess.to_string(),
        "sep:semicolon;decimal:comma;task:2;label:5;split:6,TEST;x:3-4;missing:drop"
    );
}

#[test]
fn a_mapping_makes_tasks_and_leaves_rows_out_only_on_request() {
    let text = format!("{MESSY}4;north;4,5;3;99;TEST\r\n5;south;1;1;98;train\r\n");
    let columns = "sep:semicolon;decimal:comma;task:2;label:3;split:6,TEST;x:4-5";
    let (message, column) = refused(&text, columns);
    assert_eq!(
        message,
        "line 5: `IQ` (column 5) is `NA`, which means a missing value; expected a value (to leave \
         rows with missing values out: missing:drop)"
    );
    assert_eq!(column, Some(4));
    let made = map(&text, &format!("{columns};missing:drop")).unwrap();
    assert_eq!((made.dropped, made.rows), (1, 5));
    let data = made.data;
    assert_eq!(data.task_names, ["north", "south"]);
    assert_eq!(data.feature_names, ["hours", "IQ"]);
    assert_eq!(data.kind, Kind::Regression);
    assert_eq!(data.sha256, sha256_hex(text.as_bytes()));
    assert_eq!(data.columns, Some(format!("{columns};missing:drop")));
    assert_eq!(data.left_out[0].reason, "no value in `IQ`");
    let Layout::Separate { tasks, is_test } = data.layout else {
        panic!("tasks have points of their own");
    };
    assert_eq!(tasks[0].features, [1.25, 100.0, 3.0, 99.0]);
    assert_eq!(tasks[0].labels, [3.5, 4.5]);
    assert_eq!(is_test, Some(vec![vec![false, true], vec![true, false]]));
}

#[test]
fn label_columns_are_tasks_that_share_the_features() {
    let text = "a,b,y1,y2\n1,2,3,4\n5,6,7,8\n";
    assert_eq!(guessed(text), "label:3-4;x:1-2");
    let data = map(text, "label:3-4;x:1-2").unwrap().data;
    assert_eq!(data.task_names, ["y1", "y2"]);
    let Layout::Shared { features, labels } = data.layout else {
        panic!("tasks share their points");
    };
    assert_eq!(features, [1.0, 2.0, 5.0, 6.0]);
    assert_eq!(labels, [[3.0, 7.0], [4.0, 8.0]]);
    let text = "a,y1,y2,fold\n1,3,4,train\n5,7,8,test\n";
    assert_eq!(guessed(text), "label:2-3;split:4,test;x:1");
    let data = map(text, &guessed(text)).unwrap().data;
    assert!(data.has_split());
    assert_eq!((data.task_count(), data.point_count()), (2, 4));
}

#[test]
fn two_words_are_classes() {
    let text = "id,size,colour,diagnosis\n1,2,3,malignant\n2,5,6,benign\n3,8,9,benign\n";
    assert_eq!(guessed(text), "label:4;x:2-3;class:benign,malignant");
    let data = map(text, &guessed(text)).unwrap().data;
    assert_eq!(data.kind, Kind::Classification);
    assert_eq!(data.task_names, ["diagnosis"]);
    let Layout::Separate { tasks, .. } = data.layout else {
        panic!("one task");
    };
    assert_eq!(tasks[0].labels, [1.0, -1.0, -1.0]);
    let other = text.replace("3,8,9,benign", "3,8,9,unclear");
    assert_eq!(
        refused(&other, "label:4;x:2-3;class:benign,malignant"),
        (
            "line 4: `diagnosis` (column 4) is `unclear`; expected `benign` or `malignant`"
                .to_string(),
            Some(3)
        )
    );
    let (message, _) = refused(&other, "label:4;x:2-3");
    assert!(
        message.contains("or a classification by words"),
        "{message}"
    );
    // Numbers are compared as numbers.
    let numbers = "x,y\n1,1.0\n2,2\n3,01\n";
    let data = map(numbers, "label:2;x:1;class:1,2").unwrap().data;
    let Layout::Separate { tasks, .. } = data.layout else {
        panic!("one task");
    };
    assert_eq!(tasks[0].labels, [-1.0, 1.0, -1.0]);
    assert_eq!(guessed("y,a\n0,1.5\n1,2.5\n1,3\n"), "label:1;x:2;class:0,1");
}

#[test]
fn delimiter_header_and_decimal_sign_are_detected_from_the_rows() {
    for (text, expected) in [
        ("1,2,3\n4,5,6\n", "header:no;label:3;x:1-2"),
        ("a\tb\n1.5\t2\n2\t3\n", "sep:tab;label:2;x:1"),
        (
            "1,5;2,5\n3,5;4,25\n",
            "sep:semicolon;decimal:comma;header:no;label:2;x:1",
        ),
        ("a;b\n1.5;2\n3;4\n", "sep:semicolon;label:2;x:1"),
        // The sign of a column is its own.
        (
            "a;b\n1.5;2,5\n3;4\n",
            "sep:semicolon;decimal:comma,2;label:2;x:1",
        ),
        // A comma that may separate thousands: a point, until someone says else.
        ("a;b\n1,500;2\n3;4\n", "sep:semicolon;label:2;x:1"),
        (
            "a;b\n0,500;2\n3;4\n",
            "sep:semicolon;decimal:comma;label:2;x:1",
        ),
    ] {
        let mut guess = look(text).guess;
        // Only the reading is looked at here.
        if guess.features.is_empty() {
            guess.features = vec![0];
        }
        assert_eq!(guess.to_string(), expected, "{text}");
    }
    let (message, column) = refused("a;b\n1,500;2\n", "sep:semicolon;label:2;x:1");
    assert!(
        message.contains("line 2: `a` (column 1) is `1,500`"),
        "{message}"
    );
    assert!(
        message.contains("as 1500: thousands:comma; as 1.500: decimal:comma"),
        "{message}"
    );
    assert_eq!(column, Some(0));
    let (message, _) = refused("a;b\n1.5;2,5\n", "sep:semicolon;decimal:comma;label:2;x:1");
    assert!(message.contains("with a decimal comma"), "{message}");
}

#[test]
fn a_file_with_our_names_gives_the_same_data_with_its_own_guess() {
    let text =
        "x2,task,split,x1,label\n2,10,train,1,10\n4,9,test,3,20\n5,9,train,3,2\n6,10,test,1,3\n";
    let preview = look(text);
    assert!(preview.has_our_names);
    let plain = read_file("mine.csv", text.as_bytes()).unwrap();
    let mapped = map(text, "task:2;label:5;split:3,test;x:1,4").unwrap().data;
    assert_eq!(
        preview.guess.to_string(),
        "task:2;label:5;split:3,test;x:1,4"
    );
    assert_eq!(mapped.task_names, plain.task_names);
    assert_eq!(mapped.sha256, plain.sha256);
    assert_eq!(plain.columns, None);
    let in_order = "task,label,x1,x2\n10,0,1,2\n9,1,3,4\n10,1,0,2\n9,0,3,1\n";
    let plain = read_file("mine.csv", in_order.as_bytes()).unwrap();
    let mapped = map(in_order, "task:1;label:2;x:3-4;class:0,1")
        .unwrap()
        .data;
    assert_eq!(mapped.layout, plain.layout);
    assert_eq!(mapped.kind, plain.kind);
}

#[test]
fn errors_name_line_and_column() {
    for (text, columns, part, column) in [
        (
            "a,b\n1,2\n1\n",
            "label:1;x:2",
            "line 3: 1 columns; expected 2",
            None,
        ),
        (
            "a,b\n1,oops\n",
            "label:1;x:2",
            "line 2: `b` (column 2) is `oops`",
            Some(1),
        ),
        ("a,b\n1,inf\n", "label:1;x:2", "is `inf`", Some(1)),
        ("a,b\n1,\n", "label:1;x:2", "has no value", Some(1)),
        (
            "a,b\n,1\n",
            "label:1;x:2;missing:drop",
            "all 1 rows have missing values",
            None,
        ),
        ("a,b\n", "label:1;x:2", "no row below the header", None),
        (
            "a,b\n1,2\n",
            "label:1;x:3",
            "column 3 not found; the file has 2",
            None,
        ),
        (
            "a,b\n1,2\n",
            "from:X;label:1;x:2",
            "only to MAT files",
            None,
        ),
        ("a,b\n\"1\n2\",3\n", "label:1;x:2", "line 2", Some(0)),
    ] {
        let (message, found) = refused(text, columns);
        assert!(message.contains(part), "{text}: {message}");
        assert_eq!(found, column, "{text}");
    }
    let (message, column) = refused(
        &format!("t,a,b\n{},1,2", "t".repeat(201)),
        "task:1;label:2;x:3",
    );
    assert!(
        message.starts_with("line 2: a task of 201 characters"),
        "{message}"
    );
    assert_eq!(column, Some(0));
    let many: Vec<String> = (0..=MAX_TASKS).map(|k| format!("t{k},1,2")).collect();
    let many = many.join("\n");
    let (message, column) = refused(&format!("t,a,b\n{many}"), "task:1;label:2;x:3");
    assert!(
        message.contains("line 514: task number 513; expected at most 512"),
        "{message}"
    );
    assert_eq!(column, Some(0));
    let wide = vec!["1"; MAX_COLUMNS + 1].join(",");
    let error = inspect("mine.csv", wide.as_bytes(), None)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("4611 columns; expected at most 4610"),
        "{error}"
    );
    for (bytes, part) in [
        (&b"a,b\n1,\x81\n"[..], "line 2: text that is not UTF-8"),
        (b"\xFF\xFEa", "UTF-16"),
        (b"", "the end of the file"),
    ] {
        let error = inspect("mine.csv", bytes, None).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(inspect("mine.png", b"", None).is_err());
}

#[test]
fn an_unclosed_quote_is_found_by_preview_and_import() {
    let mut text = String::from("school;score;note\n");
    for row in 2..=200 {
        let note = if row == 42 { "\"ok" } else { "ok" };
        text += &format!("{};{row};{note}\n", row % 3);
    }
    let expected = "line 42: a quote that is not closed; expected a closing quote";
    let error = inspect("mine.csv", text.as_bytes(), None).unwrap_err();
    assert_eq!(error.to_string(), expected);
    assert_eq!(refused(&text, "sep:semicolon;label:2;x:1").0, expected);
    // With another separator that quote would be none: it does not matter there.
    assert_eq!(look("a;b\n1;\"2,3\"\n4;5\n").row_count, 2);
}

#[test]
fn a_test_word_in_another_case_is_refused() {
    let text = "x,y,set\n1,2,test\n3,4,train\n5,6,Test\n";
    assert_eq!(
        refused(text, "x:1;label:2;split:3,test"),
        (
            "line 4: `set` (column 3) is `Test`; expected exactly `test` for test points, or a different word"
                .to_string(),
            Some(2)
        )
    );
    let other = text.replace("Test", "Train");
    assert!(map(&other, "x:1;label:2;split:3,test").is_ok());
}

#[test]
fn previews_and_messages_have_no_control_characters() {
    let text = "a\u{1b}[31m,b\n\"1\n\",2\n\u{202e}3,4\n";
    let preview = look(text);
    assert_eq!(preview.columns[0].name, r"a\u{1b}[31m");
    assert_eq!(preview.rows[1].1[0], r"\u{202e}3");
    let (message, _) = refused(text, "x:1;label:2");
    assert!(
        message.starts_with(r"line 4: `a\u{1b}[31m` (column 1) is `\u{202e}3`"),
        "{message}"
    );
}

const WRITER: Writer = Writer { big_endian: false };

#[test]
fn matrices_of_a_mat_file_are_put_side_by_side() {
    let file = WRITER.file(&[
        WRITER.doubles(&[1, 3], "y", &[0.5, 1.5, 2.5]),
        WRITER.doubles(&[3, 2], "data", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        WRITER.doubles(&[1, 1], "n", &[3.0]),
    ]);
    let preview = inspect("mine.mat", &file, None).unwrap();
    // Labels that are known by their name come last.
    assert_eq!(preview.choices, [vec!["data", "y"], vec!["n"]]);
    let names: Vec<&str> = preview.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["data 1", "data 2", "y"]);
    assert_eq!(preview.guess.to_string(), "from:data,y;label:3;x:1-2");
    let data = read_mapped("mine.mat", &file, &preview.guess).unwrap().data;
    assert_eq!(
        (data.task_count(), data.features, data.point_count()),
        (1, 2, 3)
    );
    let Layout::Separate { tasks, .. } = data.layout else {
        panic!("one task");
    };
    assert_eq!(tasks[0].features, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    for (columns, part) in [
        ("from:X;label:1;x:2", "`X` not found"),
        ("from:y,n;label:1;x:2", "rows or columns differ"),
        ("label:1;x:2", "needs the names"),
    ] {
        let refusal = read_mapped("mine.mat", &file, &columns.parse().unwrap()).unwrap_err();
        let message = refusal.error.to_string();
        assert!(
            message.contains(part) && message.contains("y with data"),
            "{message}"
        );
    }
    let nan = WRITER.file(&[WRITER.doubles(&[2, 2], "m", &[1.0, f64::NAN, 3.0, 4.0])]);
    let refusal = read_mapped("m.mat", &nan, &"from:m;label:2;x:1".parse().unwrap()).unwrap_err();
    let message = refusal.error.to_string();
    assert!(
        message.starts_with("row 2: `m 1` (column 1) has no value"),
        "{message}"
    );
}

#[test]
fn cells_of_a_mat_file_are_tasks() {
    let cells = |name: &str, items: &[Vec<u8>]| WRITER.array(1, &[1, 2], name, items);
    let matrix = |shape: &[u32], values: &[f64]| WRITER.doubles(shape, "", values);
    let file = WRITER.file(&[
        cells(
            "pts",
            &[
                matrix(&[2, 2], &[1.0, 2.0, 3.0, 4.0]),
                matrix(&[2, 2], &[5.0, 7.0, 6.0, 8.0]),
            ],
        ),
        cells(
            "out",
            &[matrix(&[2, 1], &[0.1, 0.2]), matrix(&[2, 1], &[0.3, 0.4])],
        ),
    ]);
    let preview = inspect("mine.mat", &file, None).unwrap();
    let guess = preview.guess;
    assert_eq!(guess.to_string(), "from:pts,out;task:1;label:4;x:2-3");
    let data = read_mapped("mine.mat", &file, &guess).unwrap().data;
    assert_eq!(data.task_names, ["1", "2"]);
    let Layout::Separate { tasks, .. } = data.layout else {
        panic!("tasks have points of their own");
    };
    assert_eq!(tasks[0].features, [1.0, 3.0, 2.0, 4.0]);
    assert_eq!(tasks[1].features, [5.0, 6.0, 7.0, 8.0]);
    assert_eq!(tasks[1].labels, [0.3, 0.4]);
}

#[test]
fn the_example_needs_no_mapping() {
    let text = synthetic::example_csv().unwrap();
    let data = read_file("example.csv", text.as_bytes()).unwrap();
    assert_eq!((data.task_count(), data.features), (8, 10));
    assert_eq!(data.points_per_task(), (30, 30));
}

proptest! {
    #[test]
    fn any_text_ends_in_a_preview_or_an_error(text in "([a-c0-9.,;\t\"\n -]|\\PC){0,80}") {
        if let Ok(preview) = inspect("mine.csv", text.as_bytes(), None) {
            let made = read_mapped("mine.csv", text.as_bytes(), &preview.guess);
            // What the preview says of the guess is what comes of it.
            prop_assert!(preview.has_our_names || made.is_ok() == preview.summary.is_some());
        }
        let _ = open("mine.csv", text.as_bytes());
    }

    #[test]
    fn any_table_of_numbers_and_words_ends_in_data_or_a_question(
        header in "(sep=;\n|# a\n|9,9\n)?(,|id,|site,|y,|x1,|task,label,|is_test,|2001,){1,5}",
        rows in prop::collection::vec("((a|b|NA|-|1,5|1[.]5|2|-999|13%|TRUE|train|test)?[,; \t|]){1,6}", 0..9),
    ) {
        let text = format!("{header}\n{}", rows.join("\n"));
        match open("mine.csv", text.as_bytes()) {
            Ok(made) => prop_assert!(made.data.task_count() > 0 && made.data.point_count() > 1),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn a_mapping_of_any_other_file_ends_in_data_or_an_error(
        rows in prop::collection::vec("[0-9a,.;\t]{0,12}", 0..8),
        columns in "(sep:(tab|space|pipe);)?(skip:[0-3];)?(decimal:comma,[1-6];)?(thousands:(space|apostrophe);)?\
                   (header:no;)?label:[1-4](-4)?;x:[5-6](;task:7|;class:0,1,2)?(;split:8,a,9)?\
                   (;missing:drop,0)?(;rules:1)?",
    ) {
        let text = rows.join("\n");
        if let Ok(mapping) = columns.parse() {
            let _ = read_mapped("mine.csv", text.as_bytes(), &mapping);
        }
    }
}

#[test]
fn a_look_keeps_what_reading_by_its_guess_gives() {
    let skipped = format!("made by a program\n\n{}", &MESSY[3..]);
    for text in [
        MESSY,
        &skipped,
        "task,label,x1\na,1,2\na,2,3\nb,1,4\nb,3,5\n",
    ] {
        let bytes = text.as_bytes();
        let (preview, kept) = inspect_and_read("mine.csv", bytes, None).unwrap();
        assert_eq!(preview, inspect("mine.csv", bytes, None).unwrap());
        let columns = (!preview.has_our_names).then_some(&preview.guess);
        let read = read_with("mine.csv", bytes, columns);
        assert_eq!(kept, read.ok(), "{text}");
    }
}
