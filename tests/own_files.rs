//! Files as people have them, each with the right value: what is read without a mapping, what is asked, and
//! what is said. The inputs are small and made up after situations in bug reports of other programs.

#![expect(
    clippy::format_collect,
    reason = "the inputs are short, and clearer so"
)]

use patom::data::import::{self, ImportResult, Preview};
use patom::data::{DataSet, Kind, Layout, RawPoints};
use patom::warning::WarningCode;

fn open(name: &str, text: &str) -> ImportResult {
    let (preview, kept) = import::inspect_and_read(name, text.as_bytes(), None).unwrap();
    let columns = (!preview.has_our_names).then_some(preview.guess);
    let read = import::read_with(name, text.as_bytes(), columns.as_ref());
    assert_eq!(kept, read.ok(), "a look keeps what reading gives");
    import::open(name, text.as_bytes()).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// The guess of a file that is opened without a question.
fn sure(text: &str) -> String {
    let made = open("d.csv", text);
    made.mapping.expect("a guess").to_string()
}

fn refused(text: &str) -> String {
    import::open("d.csv", text.as_bytes())
        .unwrap_err()
        .to_string()
}

fn inspect(text: &str) -> Preview {
    import::inspect("d.csv", text.as_bytes(), None).unwrap()
}

fn mapped(text: &str, columns: &str) -> Result<DataSet, String> {
    let made = import::read_mapped("d.csv", text.as_bytes(), &columns.parse().unwrap());
    made.map(|made| made.data)
        .map_err(|refusal| refusal.error.to_string())
}

fn tasks(data: &DataSet) -> &[RawPoints] {
    match &data.layout {
        Layout::Separate { tasks, .. } => tasks,
        other => panic!("tasks have points of their own, not {other:?}"),
    }
}

fn counts(data: &DataSet) -> Vec<usize> {
    tasks(data).iter().map(RawPoints::count).collect()
}

fn said(data: &DataSet, code: WarningCode, part: &str) -> bool {
    (data.warnings.iter()).any(|w| w.code == code && w.message.contains(part))
}

/// Rows `site,y,a,b` of three sites in turn, with the separator and the decimal sign.
fn rows(count: u32, separator: &str, decimal: &str) -> String {
    (0..count)
        .map(|k| {
            let number = |seed: u32| {
                let value = f64::from((k + seed) * 7919 % 3001) / 1000.0 - 1.5;
                format!("{value:.3}").replace('.', decimal)
            };
            let cells = [format!("s{}", k % 3 + 1), number(1), number(5), number(11)];
            cells.join(separator) + "\n"
        })
        .collect()
}

/// The numbers of the first column of features, task by task.
fn first_feature(data: &DataSet) -> Vec<f64> {
    let width = data.features;
    let columns = tasks(data)
        .iter()
        .flat_map(|task| task.features.iter().step_by(width));
    columns.copied().collect()
}

#[test]
fn every_delimiter_decimal_sign_and_line_end_gives_the_same_numbers() {
    let header = |separator: &str| ["site", "y", "a", "b"].join(separator) + "\n";
    let plain = header(",") + &rows(30, ",", ".");
    let expected = open("d.csv", &plain).data;
    assert_eq!(counts(&expected), [10, 10, 10]);
    assert_eq!(expected.feature_names, ["a", "b"]);
    for (separator, decimal, mapping) in [
        (";", ".", "sep:semicolon;"),
        (";", ",", "sep:semicolon;decimal:comma;"),
        ("\t", ",", "sep:tab;decimal:comma;"),
        ("\t", ".", "sep:tab;"),
        (" ", ".", "sep:space;"),
        ("   ", ",", "sep:space;decimal:comma;"),
        ("|", ".", "sep:pipe;"),
        (" | ", ",", "sep:pipe;decimal:comma;"),
        (", ", ".", ""),
    ] {
        let text = header(separator) + &rows(30, separator, decimal);
        for text in [
            text.clone(),
            text.replace('\n', "\r\n"),
            text.replace('\n', "\r"),
            format!("\u{feff}{text}"),
            text.trim_end().to_string(),
            text.replace('\n', "\n\n"),
        ] {
            for name in ["d.csv", "d.tsv", "d.txt", "d.data", "D.DAT"] {
                let made = open(name, &text);
                assert_eq!(made.data.layout, expected.layout, "{text}");
                let guess = made.mapping.unwrap().to_string();
                assert_eq!(guess, format!("{mapping}task:1;label:2;x:3-4"));
            }
        }
    }
}

#[test]
fn our_own_names_are_read_under_any_ending_without_a_mapping() {
    let text = String::from("task,label,x1,x2\n") + &rows(12, ",", ".");
    for name in ["d.csv", "d.data", "d.dat", "d.txt"] {
        let made = open(name, &text);
        assert!(made.mapping.is_none() && made.data.columns.is_none());
        assert_eq!(made.data.task_names, ["s1", "s2", "s3"]);
        // The same by name and hash, for ever.
        let by_hash = import::read_with(name, text.as_bytes(), None).unwrap();
        assert_eq!(by_hash, made);
    }
}

#[test]
fn lines_before_the_table_are_skipped_and_said() {
    let body = rows(12, ",", ".");
    for (before, skip) in [
        ("# exported 2024-01-01 by tool v2\n# units: mm\n", 2),
        ("# site, y, a\n", 1),
        ("% comment\n", 1),
        ("Measurements of spring\n\n", 2),
        ("Report, version 3\n", 1),
        ("\"A title, in quotes\"\nsecond line\n\n\n", 4),
    ] {
        let text = format!("{before}site,y,a,b\n{body}");
        let preview = inspect(&text);
        assert_eq!(preview.guess.reading.skip, skip, "{before}");
        assert_eq!(preview.columns[0].name, "site", "{before}");
        if before.starts_with("Report") {
            // It may be a broken header.
            assert!(
                preview
                    .question
                    .unwrap()
                    .contains("Does the table begin after it?")
            );
            continue;
        }
        let made = open("d.csv", &text);
        assert_eq!(made.data.point_count(), 12);
        assert!(
            said(&made.data, WarningCode::Interpreted, "skipped"),
            "{before}"
        );
        let rest = made.mapping.unwrap().to_string();
        assert_eq!(rest, format!("skip:{skip};task:1;label:2;x:3-4"));
    }
    // Comments among and after the rows.
    let text = format!("site,y,a,b\n# first\n{body}# the end\n");
    let made = open("d.csv", &text);
    assert_eq!(made.data.point_count(), 12);
    assert!(
        made.data
            .left_out
            .iter()
            .any(|left| left.count == 2 && left.reason == "a comment")
    );
}

#[test]
fn a_separator_in_the_first_line_is_obeyed() {
    for (line, separator) in [
        ("sep=;", ";"),
        ("\"sep=;\"", ";"),
        ("SEP=,", ","),
        ("sep=|", "|"),
        ("sep=\t", "\t"),
    ] {
        let header = ["task", "label", "x1", "x2"].join(separator);
        let text = format!("{line}\r\n{header}\r\n{}", rows(12, separator, "."));
        let made = open("d.csv", &text);
        assert_eq!(made.data.point_count(), 12, "{line}");
        let guess = made.mapping.unwrap().to_string();
        assert!(guess.contains("skip:1;task:1;label:2;x:3-4"), "{guess}");
    }
}

#[test]
fn the_counts_before_the_rows_of_scikit_learn_are_no_row() {
    // 12 rows of 3 features; then the names of the classes.
    let body: String = (0..12)
        .map(|k| format!("{}.5,{}.1,0.{k},{}\n", k % 5, k * 3 % 7, k % 3))
        .collect();
    for first in ["12,3,setosa,versicolor", "12,3,,", "12,3"] {
        let preview = inspect(&format!("{first}\n{body}"));
        let reading = &preview.guess.reading;
        assert_eq!((reading.skip, reading.header), (1, false), "{first}");
        assert_eq!(preview.row_count, 12, "{first}");
    }
    let named = inspect(&format!("12,3,setosa,versicolor\na,b,c,target\n{body}"));
    assert_eq!(
        (named.guess.reading.skip, named.guess.reading.header),
        (1, true)
    );
    // Without that meaning it is a row.
    assert_eq!(inspect(&format!("13,3,7,1\n{body}")).row_count, 13);
}

#[test]
fn row_names_of_r_are_no_feature() {
    let body: String = rows(12, "\t", ".")
        .lines()
        .enumerate()
        .map(|(at, row)| format!("\"{}\"\t{row}\n", at + 1))
        .collect();
    // write.table: the header has one name fewer.
    let text = format!("\"site\"\t\"y\"\t\"a\"\t\"b\"\n{body}");
    assert_eq!(sure(&text), "sep:tab;task:2;label:3;x:4-5");
    let made = open("d.tsv", &text);
    assert_eq!(made.data.feature_names, ["a", "b"]);
    let names = made
        .data
        .left_out
        .iter()
        .find(|left| left.what == "column")
        .unwrap();
    assert_eq!(names.reason, "an index of the rows");
    // The same between blanks, and with words as names.
    let blanks = text.replace('\t', " ");
    assert_eq!(sure(&blanks), "sep:space;task:2;label:3;x:4-5");
    let words = blanks.replace("\n\"", "\n\"Mazda ");
    assert_eq!(sure(&words), "sep:space;task:2;label:3;x:4-5");
    // A decimal comma between commas is no row name.
    let broken = "task,label,x1\n1,0,1,5\n1,1,2,5\n2,0,3,5\n2,1,4,5\n";
    assert!(
        refused(broken).contains("line 2: 4 columns"),
        "{}",
        refused(broken)
    );
}

#[test]
fn an_index_is_no_feature_whatever_it_is_called() {
    let numbered = |start: usize, step: usize| -> String {
        let rows = rows(12, ",", ".");
        let rows = rows.lines().enumerate();
        rows.map(|(at, row)| format!("{},{row}\n", start + at * step))
            .collect()
    };
    for name in [
        "",
        "\"\"",
        "Unnamed: 0",
        "X",
        "rownames",
        "index",
        "id",
        "ID",
        "row",
        "...1",
        "Case",
        "identifier",
        "S.No",
    ] {
        for start in [0, 1] {
            let text = format!("{name},site,y,a,b\n{}", numbered(start, 1));
            assert_eq!(sure(&text), "task:2;label:3;x:4-5", "{name}");
            assert!(
                open("d.csv", &text).data.left_out[0]
                    .reason
                    .contains("index"),
                "{name}"
            );
        }
    }
    // pandas after a filter: the numbers rise, with gaps.
    let text = format!(",site,y,a,b\n{}", numbered(4, 3));
    assert_eq!(sure(&text), "task:2;label:3;x:4-5");
    // X is a coordinate elsewhere.
    let text = format!("X,site,y,a,b\n{}", numbered(7, 3));
    assert_eq!(sure(&text), "task:2;label:3;x:1,4-5");
    // So is x beside y.
    let dose: String = (0..12)
        .map(|k| format!("{k},{}.5,{}\n", k * 5 % 7, k * 3 % 11))
        .collect();
    let made = open("d.csv", &format!("x,y,out\n{dose}"));
    assert_eq!(made.mapping.unwrap().to_string(), "label:2;x:1,3");
    assert!(said(
        &made.data,
        WarningCode::IndexFeature,
        "`x` numbers the rows"
    ));
    // Given as a feature, or under another name, it is used and said.
    let text = format!("t,site,y,a,b\n{}", numbered(0, 1));
    let data = mapped(&text, "task:2;label:3;x:1,4-5").unwrap();
    assert!(said(
        &data,
        WarningCode::IndexFeature,
        "`t` numbers the rows"
    ));
}

#[test]
fn whole_numbers_as_names_are_a_header() {
    let body: String = rows(12, ",", ".")
        .lines()
        .map(|row| format!("{row}\n"))
        .collect();
    let numbers: String = body
        .replace(['s'], "")
        .lines()
        .map(|row| format!("{row}\n"))
        .collect();
    // Years and wavelengths, in the middle and alone.
    assert_eq!(
        sure(&format!("sample,350,352,moisture\n{body}")),
        "task:1;label:4;x:2-3"
    );
    for header in ["0,1,2,3", "350,352,354,356", "2019,2020,2021,2022"] {
        let preview = inspect(&format!("{header}\n{numbers}"));
        assert!(
            preview.reading.header && preview.row_count == 12,
            "{header}"
        );
        assert!(!preview.sure, "the label is not named");
    }
    // pandas: with an index.
    let indexed: String = numbers
        .lines()
        .enumerate()
        .map(|(k, row)| format!("{k},{row}\n"))
        .collect();
    let text = format!(",0,1,2,3\n{indexed}");
    let preview = inspect(&text);
    assert_eq!(preview.row_count, 12);
    assert_eq!(preview.guess.to_string(), "label:5;x:2-4");
    let message = refused(&text);
    assert!(message.contains("is it `3`?") && message.contains("--columns 'label:5;x:2-4'"));
    // Rows of numbers without names.
    for text in [numbers.clone(), "1,2,3\n4,5,6\n7,9,8\n".to_string()] {
        assert!(!inspect(&text).reading.header, "{text}");
    }
}

#[test]
fn identifiers_are_not_the_task() {
    let body: String = rows(12, ",", ".")
        .lines()
        .enumerate()
        .map(|(k, row)| format!("C{k}H{},{},{row}\n", 2 * k, 900 - 7 * k))
        .collect();
    let text = format!("smiles,mol_id,site,y,a,b\n{body}");
    assert_eq!(sure(&text), "task:3;label:4;x:5-6");
    let made = open("d.csv", &text);
    let left = &made.data.left_out[0];
    assert_eq!(left.names, ["smiles", "mol_id"]);
    assert_eq!(left.reason, "an identifier: different in every row");
    // As the task, it is refused with the cure.
    let message = mapped(&text, "task:1;label:4;x:5-6").unwrap_err();
    assert!(
        message.starts_with("Task C0H0 has a single row; each task needs two or more"),
        "{message}"
    );
    assert!(
        message.ends_with("Is `smiles` (column 1) really the task?"),
        "{message}"
    );
    // Names of tasks that end in id or #.
    for name in [
        "subject#",
        "Subject_ID",
        "SubjectID",
        "subject id",
        "user_id",
        "School",
    ] {
        let text = format!("{name},v,a,b\n{}", rows(12, ",", "."));
        assert_eq!(sure(&text), "task:1;label:4;x:2-3", "{name}");
    }
}

#[test]
fn na_is_a_name_in_a_column_of_words_and_missing_elsewhere() {
    let body = rows(12, ",", ".").replace("s1", "NA");
    let text = format!("country,y,a,b\n{body}");
    let made = open("d.csv", &text);
    assert_eq!(made.data.task_names, ["NA", "s2", "s3"]);
    // As engine 0.1.0 read it, a link of version 1 still does.
    let old = mapped(&text, "task:1;label:2;x:3-4;missing:drop;rules:1").unwrap();
    assert_eq!(old.task_names, ["s2", "s3"]);
}

#[test]
fn words_for_a_missing_value_are_known_or_given() {
    let body = rows(12, ",", ".");
    let with = |word: &str| format!("site,y,a,b\n{body}s1,1.5,{word},0.5\n");
    for word in [
        "#N/A", "#DIV/0!", "#VALUE!", "None", ".", "-", "--", "<NA>", "N/A", "1.#QNAN", "-nan", "",
        "NULL", "?", "nan",
    ] {
        let made = open("d.csv", &with(word));
        assert_eq!((made.rows, made.dropped), (13, 1), "{word}");
        assert!(said(
            &made.data,
            WarningCode::LeftOut,
            "1 of 13 rows were left out"
        ));
        assert_eq!(
            made.mapping.unwrap().to_string(),
            "task:1;label:2;x:3-4;missing:drop"
        );
        if !word.is_empty() && word != "nan" {
            let message = mapped(&with(word), "task:1;label:2;x:3-4").unwrap_err();
            let part = format!("`a` (column 3) is `{word}`, which means a missing value");
            assert!(message.contains(&part), "{message}");
        }
    }
    for word in ["n.d.", "<5", "-999"] {
        let columns = format!("task:1;label:2;x:3-4;missing:drop,{word}");
        assert_eq!(
            mapped(&with(word), &columns).unwrap().point_count(),
            12,
            "{word}"
        );
    }
    let message = mapped(&with("<5"), "task:1;label:2;x:3-4").unwrap_err();
    assert!(
        message.contains("if it means a missing value: missing:drop,<5"),
        "{message}"
    );
    let message = mapped(&with("inf"), "task:1;label:2;x:3-4").unwrap_err();
    assert!(message.contains("missing:drop,inf"), "{message}");
}

#[test]
fn codes_and_damaged_cells_are_named_in_mapped_files_and_in_our_own() {
    for header in ["site,y,a,b", "task,label,x1,x2"] {
        let name = header.split(',').nth(2).unwrap();
        let codes = "s1,0.5,-999,1\ns2,0.5,-999,1\n";
        let data = open("d.csv", &format!("{header}\n{}{codes}", rows(24, ",", "."))).data;
        let part = format!("`{name}` is \u{2212}999 in 2 of 26 rows (first in line 26)");
        assert!(
            said(&data, WarningCode::MissingCodes, &part),
            "{:?}",
            data.warnings
        );
        let cell = "s1,0.5,9.5e14,1\n";
        let data = open("d.csv", &format!("{header}\n{}{cell}", rows(24, ",", "."))).data;
        let part = format!("`{name}` is 9.5e14 in line 26");
        assert!(
            said(&data, WarningCode::ImplausibleValues, &part),
            "{:?}",
            data.warnings
        );
    }
}

#[test]
fn thousands_are_read_by_name_and_never_become_decimals() {
    // US style, quoted; a column of small numbers beside it.
    let us: String = (0..12)
        .map(|k| {
            format!(
                "s{},\"{},{:03}\",{k},\"{},112\"\n",
                k % 3,
                k + 1,
                k * 83 % 1000,
                22 + k
            )
        })
        .collect();
    let text = format!("site,income,age,y\n{us}");
    assert_eq!(sure(&text), "thousands:comma;task:1;label:4;x:2-3");
    assert_eq!(
        first_feature(&open("d.csv", &text).data)[..2],
        [1000.0, 4249.0]
    );
    let message = mapped(&text, "task:1;label:4;x:2-3").unwrap_err();
    assert!(
        message.contains("`22,112`") && message.contains("to read it as 22112: thousands:comma")
    );
    assert!(!message.contains("decimal"), "{message}");
    // German and Swiss style, and blanks of every width.
    for (whole, decimal, mapping) in [
        (".", ",", "decimal:comma;thousands:point;"),
        ("'", ".", "thousands:apostrophe;"),
        ("\u{2019}", ".", "thousands:apostrophe;"),
        ("\u{202f}", ",", "decimal:comma;thousands:space;"),
        ("\u{a0}", ",", "decimal:comma;thousands:space;"),
        (" ", ".", "thousands:space;"),
    ] {
        let body: String = (0..12)
            .map(|k| {
                format!(
                    "s{};13{whole}04{}{decimal}25;-{k}{decimal}5\n",
                    k % 3,
                    k % 10
                )
            })
            .collect();
        let text = format!("site;a;y\n{body}");
        assert_eq!(
            sure(&text),
            format!("sep:semicolon;{mapping}task:1;label:3;x:2")
        );
        let data = open("d.csv", &text).data;
        assert_eq!(first_feature(&data)[..2], [13040.25, 13043.25], "{whole}");
    }
    // Between semicolons 1,304 may be either, and is asked.
    let body: String = (0..12)
        .map(|k| format!("s{};1,{};2,{}\n", k % 3, 300 + k, 500 + k))
        .collect();
    let preview = inspect(&format!("site;a;y\n{body}"));
    assert!(!preview.sure);
    let question = preview.question.unwrap();
    assert!(
        question.contains("can be 1300 (thousands:comma) or 1.300 (decimal:comma)"),
        "{question}"
    );
}

#[test]
fn each_column_may_have_its_own_decimal_sign() {
    let body: String = rows(12, ";", ".")
        .lines()
        .map(|row| {
            let mut cells: Vec<String> = row.split(';').map(ToString::to_string).collect();
            cells[1] = cells[1].replace('.', ",");
            cells.join(";") + "\n"
        })
        .collect();
    let text = format!("site;y;a;b\n{body}");
    assert_eq!(
        sure(&text),
        "sep:semicolon;decimal:comma,2;task:1;label:2;x:3-4"
    );
    let plain = format!("site,y,a,b\n{}", rows(12, ",", "."));
    assert_eq!(
        open("d.csv", &text).data.layout,
        open("d.csv", &plain).data.layout
    );
}

#[test]
fn percent_minus_exponents_and_truth_values_are_numbers() {
    let body: String = (0..12)
        .map(|k| {
            let truth = ["TRUE", "False"][k % 2];
            format!("s{},\u{2212}0.{k}5,1{k}.0%,{truth},1.{k}D-02\n", k % 3)
        })
        .collect();
    let text = format!("site,y,a,b,c\n{body}");
    let data = open("d.csv", &text).data;
    assert_eq!(tasks(&data)[0].labels[0], -0.05);
    assert_eq!(tasks(&data)[0].features[..3], [0.1, 1.0, 0.01]);
    assert_eq!(tasks(&data)[1].features[..3], [0.11, 0.0, 0.011]);
}

#[test]
fn two_values_are_classes_in_our_own_format_and_in_others() {
    let classes = |header: &str, words: [&str; 2]| {
        let body: String = (0..24)
            .map(|k| format!("s{},{},0.{k},{}.5\n", k % 3, words[(k / 3) % 2], k * 5 % 7))
            .collect();
        open("d.csv", &format!("{header}\n{body}"))
    };
    for header in ["task,label,x1,x2", "site,y,a,b"] {
        for (words, expected) in [
            (["1", "2"], "class:1,2"),
            (["2", "4"], "class:2,4"),
            (["yes", "no"], "class:no,yes"),
            (["True", "False"], "class:False,True"),
            (["malignant", "benign"], "class:benign,malignant"),
            (["+", "-"], "class:-,+"),
        ] {
            let made = classes(header, words);
            assert_eq!(made.data.kind, Kind::Classification, "{words:?}");
            let guess = made.mapping.unwrap().to_string();
            assert!(guess.ends_with(expected), "{guess}");
            // Half of them are positive, and none is missing.
            let positive = tasks(&made.data).iter().flat_map(|task| &task.labels);
            let positive = positive.filter(|label| **label == 1.0).count();
            assert_eq!((positive, made.dropped), (12, 0), "{words:?}");
        }
        for words in [["0", "1"], ["-1", "1"]] {
            let made = classes(header, words);
            assert_eq!(made.data.kind, Kind::Classification);
            assert_eq!(made.mapping.is_none(), header.starts_with("task"));
        }
    }
    // Numbers of a few values stay a regression, and that is said.
    let body: String = (0..24)
        .map(|k| format!("s{},{},0.{k},1\n", k % 2, k % 3))
        .collect();
    let data = open("d.csv", &format!("site,y,a,b\n{body}")).data;
    assert_eq!(data.kind, Kind::Regression);
    assert!(
        said(&data, WarningCode::Interpreted, "class:0,1,2"),
        "{:?}",
        data.warnings
    );
}

#[test]
fn three_and_more_words_are_a_task_each_against_the_rest() {
    let words = ["setosa", "versicolor", "virginica"];
    let body: String = (0..24)
        .map(|k| format!("0.{k},{}.5,{}\n", k * 5 % 7, words[k % 3]))
        .collect();
    for (name, label) in [("species", 3), ("class", 3), ("kind", 3)] {
        let text = format!("a,b,{name}\n{body}");
        let made = open("d.csv", &text);
        let guess = made.mapping.as_ref().unwrap().to_string();
        assert_eq!(
            guess,
            format!("label:{label};x:1-2;class:setosa,versicolor,virginica")
        );
        assert_eq!(made.data.task_names, words);
        let Layout::Shared { labels, features } = &made.data.layout else {
            panic!("tasks share their points");
        };
        assert_eq!(features.len(), 48);
        assert_eq!(labels[1][..4], [-1.0, 1.0, -1.0, -1.0]);
        assert_eq!(
            labels
                .iter()
                .flatten()
                .filter(|label| **label == 1.0)
                .count(),
            24
        );
        assert!(made.roles().contains("setosa, versicolor, virginica"));
    }
    // With a split every task has its copy; numbers are classes on request.
    let body: String = (0..24)
        .map(|k| format!("0.{k},{},{}\n", k % 3, ["train", "test"][k / 12]))
        .collect();
    let data = mapped(
        &format!("a,y,set\n{body}"),
        "label:2;x:1;split:3,test;class:0,1,2",
    )
    .unwrap();
    assert_eq!(data.task_names, ["0", "1", "2"]);
    assert_eq!(counts(&data), [24, 24, 24]);
    let message = mapped("a,y\n1,u\n2,v\n3,w\n", "label:2;x:1;class:u,v,z").unwrap_err();
    assert!(message.contains("line 4: `y` (column 2) is `w`; expected one of `u`, `v`, `z`"));
}

#[test]
fn a_row_without_one_of_several_labels_is_left_out_of_that_task_only() {
    // Of 12 rows, the tasks have 8, 6 and 4; two have no label.
    let body: String = (0..12)
        .map(|k: usize| {
            let label = |has: bool| {
                if has {
                    (k % 2).to_string()
                } else {
                    String::new()
                }
            };
            format!(
                "m{k},0.{k},{},{},{}\n",
                label(k < 8),
                label((4..10).contains(&k)),
                label(k.is_multiple_of(3))
            )
        })
        .collect();
    let text = format!("mol_id,f1,A,B,C\n{body}");
    for columns in [
        "label:3-5;x:2;class:0,1",
        "label:3-5;x:2;class:0,1;missing:drop",
    ] {
        let data = mapped(&text, columns).unwrap();
        assert_eq!(data.task_names, ["A", "B", "C"]);
        assert_eq!(counts(&data), [8, 6, 4]);
        assert_eq!(tasks(&data)[1].features[..2], [0.4, 0.5]);
        let row = data
            .left_out
            .iter()
            .find(|left| left.what == "row")
            .unwrap();
        assert_eq!((row.count, row.reason.as_str()), (2, "no label"));
    }
    assert_eq!(sure(&text), "label:3-5;x:2;class:0,1");
    // Engine 0.1.0 left such rows out of all tasks.
    let old = mapped(&text, "label:3-5;x:2;class:0,1;missing:drop;rules:1").unwrap();
    assert_eq!(old.point_count(), 1);
    // One label a row: the usual table of several assays.
    let body: String = (0..12)
        .map(|k: usize| {
            let label = |task: usize| {
                if k % 3 == task {
                    (k / 3 % 2).to_string()
                } else {
                    String::new()
                }
            };
            format!("0.{k},{},{},{}\n", label(0), label(1), label(2))
        })
        .collect();
    let data = mapped(&format!("f1,A,B,C\n{body}"), "label:2-4;x:1;class:0,1").unwrap();
    assert_eq!(counts(&data), [4, 4, 4]);
}

#[test]
fn small_tasks_are_left_out_by_name() {
    let body = rows(12, ",", ".");
    for header in ["task,label,x1,x2", "site,y,a,b"] {
        let data = open("d.csv", &format!("{header}\n{body}s9,0.5,1,1\n")).data;
        assert_eq!(data.task_names, ["s1", "s2", "s3"]);
        let left = data
            .left_out
            .iter()
            .find(|left| left.what == "task")
            .unwrap();
        assert_eq!(
            (left.names.join(","), left.reason.as_str()),
            ("s9".into(), "a single point")
        );
        assert!(said(
            &data,
            WarningCode::LeftOut,
            "Task s9 was left out: a single point."
        ));
        // Two points are enough: one to train, one to test.
        let data = open(
            "d.csv",
            &format!("{header}\n{body}s9,0.5,1,1\ns9,0.7,2,1\n"),
        )
        .data;
        assert_eq!(data.task_count(), 4);
        assert!(said(
            &data,
            WarningCode::FewTestPoints,
            "Two points only, at most one of them for testing: s9."
        ));
    }
    // A task that loses its rows to missing values, or has no test point.
    let data = open(
        "d.csv",
        &format!("site,y,a,b\n{body}s9,0.5,,1\ns9,0.7,NA,1\n"),
    )
    .data;
    assert!(said(
        &data,
        WarningCode::LeftOut,
        "Task s9 was left out: no row with all values."
    ));
    let split: String = body
        .lines()
        .enumerate()
        .map(|(k, row)| format!("{row},{}\n", ["train", "test"][k / 3 % 2]))
        .collect();
    let data = open(
        "d.csv",
        &format!("site,y,a,b,split\n{split}s9,0,1,1,train\ns9,1,2,1,train\n"),
    )
    .data;
    assert!(said(
        &data,
        WarningCode::LeftOut,
        "Task s9 was left out: no test point."
    ));
    assert_eq!(data.task_count(), 3);
}

#[test]
fn tasks_without_test_points_are_kept_where_links_of_version_1_had_them() {
    let text = "task,label,x1,split\na,1.5,1,train\na,2,2,test\nb,1,1,train\nb,3,2,train\n";
    let ours = import::read_with("d.csv", text.as_bytes(), None)
        .unwrap()
        .data;
    assert_eq!(ours.task_names, ["a", "b"]);
    let columns = "task:1;label:2;split:4,test;x:3";
    assert_eq!(mapped(text, columns).unwrap().task_names, ["a"]);
    let old = mapped(text, &format!("{columns};rules:1")).unwrap();
    assert_eq!(old.layout, ours.layout);
}

#[test]
fn columns_that_mark_the_split_are_understood() {
    let with = |name: &str, words: &[&str]| -> String {
        let body: String = rows(24, ",", ".")
            .lines()
            .enumerate()
            .map(|(k, row)| format!("{row},{}\n", words[k / 3 % words.len()]))
            .collect();
        format!("site,y,a,b,{name}\n{body}")
    };
    for (name, words, test) in [
        ("is_test", ["False", "True"], "True"),
        ("is_test", ["0", "1"], "1"),
        ("test", ["no", "yes"], "yes"),
        ("IsTest", ["FALSE", "TRUE"], "TRUE"),
        ("is_train", ["True", "False"], "False"),
        ("train", ["1", "0"], "0"),
        ("split", ["train", "test"], "test"),
        ("Set", ["training", "testing"], "testing"),
        ("partition", ["fit", "held out"], "held out"),
        ("fold", ["train", "Test"], "Test"),
    ] {
        let text = with(name, &words);
        assert_eq!(
            sure(&text),
            format!("task:1;label:2;split:5,{test};x:3-4"),
            "{name}"
        );
        assert!(
            !said(&open("d.csv", &text).data, WarningCode::Interpreted, ""),
            "{name}"
        );
    }
    // The number of a fold is no feature.
    let text = with("fold", &["1", "2", "3", "4"]);
    assert_eq!(sure(&text), "task:1;label:2;x:3-4");
    assert_eq!(
        open("d.csv", &text).data.left_out[0].reason,
        "a split or fold"
    );
    // Validation rows are training rows, which is said, or are left out.
    for word in ["val", "validation", "dev"] {
        let text = with("split", &["train", word, "test"]);
        let data = open("d.csv", &text).data;
        let part = format!(
            "rows with `{word}` in `split` (column 5) are training points. To leave \
                            them out: split:5,test,{word}"
        );
        assert!(
            said(&data, WarningCode::Interpreted, &part),
            "{:?}",
            data.warnings
        );
        assert_eq!(data.point_count(), 24);
        let data = mapped(&text, &format!("task:1;label:2;split:5,test,{word};x:3-4")).unwrap();
        assert_eq!(
            data.point_count(),
            24 - text.matches(&format!(",{word}\n")).count()
        );
        assert!(said(&data, WarningCode::LeftOut, "were left out"));
    }
}

#[test]
fn a_year_in_the_last_column_is_not_taken_as_the_label() {
    // Grunfeld's investment data: invest, value, capital, firm, year.
    for (when, first) in [("year", 1935), ("Quarter", 1), ("date", 19_350_101)] {
        let body: String = (0..24)
            .map(|k| {
                format!(
                    "{}.5,{},{},{}\n",
                    k * 5 % 7,
                    k * 3 % 11,
                    ["GM", "US", "GE"][k % 3],
                    first + k / 3
                )
            })
            .collect();
        let message = refused(&format!("invest,value,firm,{when}\n{body}"));
        let question = format!("is it `value`, not `{when}`?");
        assert!(message.contains(&question), "{message}");
        assert!(message.contains("'task:3;label:2;x:1,4'"), "{message}");
    }
    // Called a label, it is one.
    let body: String = (0..24)
        .map(|k| format!("{}.5,{}\n", k * 5 % 7, 1935 + k))
        .collect();
    assert_eq!(sure(&format!("a,y\n{body}")), "label:2;x:1");
}

#[test]
fn what_is_not_sure_is_asked_with_a_suggestion() {
    let body: String = (0..24)
        .map(|k| {
            format!(
                "{},{},0.{k},{}.5\n",
                ["n", "s", "w"][k % 3],
                ["x", "u", "v"][k / 8],
                k * 5 % 7
            )
        })
        .collect();
    let message = refused(&format!("ward,colour,a,y\n{body}"));
    assert!(
        message.contains("Which column names the task of a row: `ward`, `colour`"),
        "{message}"
    );
    assert!(
        message.contains("--columns 'task:1;label:4;x:3'"),
        "{message}"
    );
    let numbers: String = (0..24)
        .map(|k| format!("0.{k},{}.5,{}\n", k * 5 % 7, k * 3 % 11))
        .collect();
    assert!(refused(&numbers).contains("is it `column 3`?"));
    // A number, then text that is no class: which is to be predicted?
    let text: String = (0..24)
        .map(|k| format!("0.{k},{}.5,remark number {k}\n", k * 5 % 7))
        .collect();
    assert_eq!(sure(&format!("a,b,remark\n{text}")), "label:2;x:1");
    let message = refused("a,b,class,target\n1,2,3,4\n2,3,4,1\n4,4,1,2\n");
    assert!(message.contains("`class`, `target`"), "{message}");
    // A task column and classes that would be tasks: the cure takes the classes.
    let both: String = (0..24)
        .map(|k| format!("s{},{},0.{k}\n", k / 8, ["p", "q", "r"][k % 3]))
        .collect();
    let both = format!("site,class,a\n{both}");
    let message = refused(&both);
    assert!(
        message.contains("`class` has 3 classes (p, q, r)"),
        "{message}"
    );
    let cure = message.split('\'').nth(1).unwrap();
    assert_eq!(cure, "label:2;x:3;class:p,q,r");
    assert_eq!(mapped(&both, cure).unwrap().task_count(), 3);
    // Labels with gaps before the features, as in tables of assays.
    let assays: String = (0..24)
        .map(|k| {
            let label = |n: usize| {
                if k % n == 0 {
                    ""
                } else {
                    ["0", "1"][k / 2 % 2]
                }
            };
            format!("{},{},m{k},0.{k},{}\n", label(4), label(5), k * 7 % 11)
        })
        .collect();
    let message = refused(&format!("NR-AR,NR-ER,mol_id,a,b\n{assays}"));
    assert!(
        message.contains("Are `NR-AR`, `NR-ER` the labels"),
        "{message}"
    );
    assert!(message.contains("'label:1-2;x:4-5;class:0,1'"), "{message}");
    // Most names of a task have a single row.
    let single: String = (0..24)
        .map(|k| {
            format!(
                "{},{}.5,0.{k}\n",
                if k % 4 == 0 {
                    "A".into()
                } else {
                    format!("S{k}")
                },
                k % 7
            )
        })
        .collect();
    let message = refused(&format!("site,y,a\n{single}"));
    assert!(
        message.contains("18 of its 19 values have a single row"),
        "{message}"
    );
    // A time names no task, a year no label.
    let times: String = (0..24)
        .map(|k| format!("{}:00,{}.5,0.{k}\n", k % 6, k % 7))
        .collect();
    assert_eq!(sure(&format!("time,y,a\n{times}")), "label:2;x:3");
    let years = rows(24, ",", ".");
    assert!(refused(&format!("country,2001,2002,2003\n{years}")).contains("is it `2003`?"));
    assert!(refused("site,y,a\n").contains("no row below the header"));
    // Most rows would be lost.
    let gaps: String = (0..24)
        .map(|k| {
            format!(
                "s{},{}.5,{},{}\n",
                k % 3,
                k % 7,
                if k % 5 < 2 { "" } else { "1.5" },
                if k % 4 < 2 { "" } else { "2" }
            )
        })
        .collect();
    let message = refused(&format!("site,y,a,b\n{gaps}"));
    assert!(message.contains("rows lack a value"), "{message}");
}

#[test]
fn ends_of_rows_may_have_a_delimiter_more_or_be_ragged() {
    let body = rows(12, ",", ".");
    let trailing = body.replace('\n', ",\n");
    for text in [
        format!("site,y,a,b\n{trailing}"),
        format!("site,y,a,b,\n{trailing}"),
        format!("site,y,a,b,\n{body}"),
        format!("site,y,a,b\n{body},,,\n").replace(",,,\n", ""),
    ] {
        let made = open("d.csv", &text);
        assert_eq!(
            made.mapping.unwrap().to_string(),
            "task:1;label:2;x:3-4",
            "{text}"
        );
        assert_eq!(made.data.point_count(), 12);
    }
    let message = refused(&format!("site,y,a,b\n{body}s1,0.5,1\n"));
    assert!(message.contains("line 14: 3 columns"), "{message}");
    let message = refused(&format!("site,y,a,b\n{body}s1,0.5,1,2,3\n"));
    assert!(message.contains("line 14: 5 columns"), "{message}");
}

#[test]
fn a_preview_holds_what_a_summary_shows() {
    let body: String = rows(24, ",", ".")
        .lines()
        .enumerate()
        .map(|(k, row)| format!("{},{row},{}\n", k + 1, ["train", "test"][k / 3 % 2]))
        .collect();
    let preview = inspect(&format!("id,site,y,a,b,split\n{body}s"));
    assert!(
        preview.problem.is_some() && !preview.sure,
        "the last row is short"
    );
    let preview = inspect(&format!("id,site,y,a,b,split\n{body}"));
    assert!(preview.sure && preview.question.is_none());
    let summary = preview.summary.unwrap();
    assert_eq!(summary.features, ["a", "b"]);
    assert_eq!(summary.rows, 24);
    assert!(!summary.shared_points && summary.classes.is_empty());
    let task = &summary.tasks[0];
    assert_eq!(
        (task.name.as_str(), task.points, task.test),
        ("s1", 8, Some(4))
    );
    assert_eq!(summary.left_out[0].names, ["id"]);
}
