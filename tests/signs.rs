//! Numbers below zero have the minus sign in all that people read, drawings and sentences, and the hyphen in
//! what programs read.

use patom::attack::{Attack, Method};
use patom::chart::{self, Style, curve, heatmap, tuning};
use patom::data::import;
use patom::metrics::MetricName;
use patom::risk::curve::Knob;
use patom::risk::{Found, MapRow, Part, Study};
use patom::spec::{Spec, link};

const MINUS: char = '\u{2212}';

/// The text from the first hyphen that is a sign: in front of a digit, at the start of a word or after `1e`.
fn hyphen(text: &str) -> Option<&str> {
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    let at = |k: usize| letters.get(k).map_or(' ', |&(_, letter)| letter);
    let found = (0..letters.len()).find(|&k| {
        let is_exponent = k > 1 && at(k - 1) == 'e' && at(k - 2).is_ascii_digit();
        let is_start = k == 0 || !(at(k - 1).is_alphanumeric() || at(k - 1) == '`');
        at(k) == '-'
            && (at(k + 1).is_ascii_digit() || at(k + 1) == '.')
            && (is_exponent || is_start)
    });
    found.map(|k| &text[letters[k].0..])
}

#[track_caller]
fn assert_signs(text: &str) {
    assert_eq!(hyphen(text), None, "{text}");
    assert!(text.contains(MINUS), "no number below zero: {text}");
}

/// The words of a drawing.
fn words(svg: &str) -> String {
    let inner = svg.split('<').filter_map(|part| part.split_once('>'));
    inner
        .map(|(_, text)| text.trim())
        .collect::<Vec<_>>()
        .join("\n")
}

fn study() -> Study {
    let names = ["a", "b"].map(String::from);
    let mut study = Study::new(
        &Spec::default_of("synthetic"),
        "00",
        &names,
        MetricName::Nmse,
    )
    .unwrap();
    for (attacker, attacked) in [[0.4, 0.43], [0.32, 0.3]].into_iter().enumerate() {
        let row = MapRow {
            attacker,
            clean: vec![Some(0.5); 2],
            attacked: attacked.map(Some).into(),
            correlation: vec![-0.25; 2],
            converged: true,
        };
        study.add(Part::Map, attacker, Found::Row(row)).unwrap();
    }
    study
}

#[test]
fn the_helper_knows_a_sign_from_a_hyphen() {
    for text in ["by -0.5", "(-1)", "-.25", "2e-7", "label, -1 to 1"] {
        assert!(hyphen(text).is_some(), "{text}");
    }
    for text in [
        "T1-3",
        "single-task",
        "2026-11-28",
        "\u{2212}1",
        "`-999`",
        "a - b",
        "a -",
    ] {
        assert_eq!(hyphen(text), None);
    }
}

#[test]
fn drawings_have_the_minus_sign() {
    let style = Style::default();
    let map = heatmap::Heatmap {
        values: &[1.0, -0.25, -0.25, 1.0],
        tasks: 2,
        targets: &[0],
        attackers: &[1],
        title: "correlation",
        names: &[],
        open_ended: true,
        range: 1.0,
        cursor: None,
        task: None,
    };
    let height = heatmap::layout(400.0, 2).height;
    let svg = chart::svg(400.0, height, style, |area, style| {
        heatmap::draw(area, &map, style)
    });
    assert_signs(&words(&svg.unwrap()));

    // The utility of an attack on the ranking may be negative; a metric may be tiny.
    for utility in [[-80.0, -50.0], [-3e-7, 2e-7]] {
        let course = curve::Curve {
            metric: &[1e-6, 3e-6],
            utility: &utility,
            clean_metric: Some(2e-7),
            baselines: curve::Baselines::default(),
            metric_name: MetricName::Nmse,
            iterations: 1,
            attack: Attack::Direct,
            method: Method::Patom,
            cursor: Some(1),
            per_task: &[],
            tasks: &[],
            task: None,
        };
        let height = curve::height(900.0);
        let svg = chart::svg(900.0, height, style, |area, style| {
            curve::draw(area, &course, style)
        });
        assert_signs(&words(&svg.unwrap()));
    }

    let choice = tuning::Curves {
        lambda1: &[1.0, 0.1, 0.01],
        multi_task: &[0.9, 0.5, 0.6],
        single_task: &[0.95, 0.7, 0.7],
        chosen: 0.1,
        metric_name: MetricName::Nmse,
    };
    let svg = chart::svg(500.0, 300.0, style, |area, style| {
        tuning::draw(area, &choice, style)
    });
    assert_signs(&words(&svg.unwrap()));

    let study = study();
    let map = study.map();
    let height = chart::risk::map_height(500.0, 2);
    let svg = chart::svg(500.0, height, style, |area, style| {
        chart::risk::draw_map(area, "Risk", &map, style)
    });
    assert_signs(&words(&svg.unwrap()));
    let curve = study.curve(Knob::Lambda2);
    let svg = chart::svg(500.0, 300.0, style, |area, style| {
        chart::risk::draw_curve(area, "Risk", &curve, style)
    });
    assert_eq!(hyphen(&words(&svg.unwrap())), None);
}

#[test]
fn sentences_have_the_minus_sign_and_tables_for_programs_the_hyphen() {
    let study = study();
    assert_signs(&study.findings(Part::Map).join("\n"));
    assert_signs(&study.map().cell(0, 1));
    let csv = study.csv(Part::Map);
    assert!(csv.contains("-0.25") && !csv.contains(MINUS), "{csv}");

    let claim = |text: &str| link::decode(text).unwrap().claim;
    let found = claim("e=0.3.0&r=0123456789abcdef&q=1.1649&u=250");
    let other = claim("r=00&u=-3e2&q=1.1648999999").compare(&found, MetricName::Nmse);
    assert_signs(&other.unwrap().words);

    // What the user is to type is as it is typed.
    let mut file = String::from("site;y;temperature\n");
    for row in 0..30 {
        let temperature = if row % 9 == 8 { -999 } else { row - 12 };
        file += &format!(
            "{};{};{temperature}\n",
            if row % 2 == 0 { "north" } else { "south" },
            row * 7 % 11
        );
    }
    let preview = import::inspect("a.csv", file.as_bytes(), None).unwrap();
    let warnings = preview.summary.unwrap().warnings;
    let text = &warnings[0].message;
    let (read, typed) = text.rsplit_once("missing:drop,").expect(text);
    assert_signs(read);
    assert_eq!(typed, "-999");
}
