//! Every word that a person can meet in results, settings and errors has a text.

use patom::Error;
use patom::attack::{Attack, FeatureDomain, Gradient, InjectedLabels, Method, Step, Stop};
use patom::data::Kind;
use patom::data::sample::{FeatureScaling, TargetScaling};
use patom::defence::study::{Attacker, PointScore, TaskScore};
use patom::metrics::MetricName;
use patom::mtrl::{Loss, Solver, Status};
use patom::paper::plan::Figure;
use patom::risk::Part;
use patom::risk::curve::Knob;
use patom::spec::{FIELDS, FieldKind};
use patom::warning::WarningCode;

/// The words of one enum and their texts.
fn assert_texts(name: &str, words: &[&str], texts: &[&str]) {
    assert!(!words.is_empty(), "{name} has no word");
    assert_eq!(words.len(), texts.len(), "{name}");
    for (at, (word, text)) in words.iter().zip(texts).enumerate() {
        assert!(!text.trim().is_empty(), "{name}: {word} has no text");
        assert!(
            !texts[..at].contains(text),
            "{name}: `{text}` is used twice"
        );
    }
}

#[test]
fn every_value_of_every_option_and_status_has_a_text() {
    macro_rules! walk {
        ($($name:ident),+) => {
            $(
                assert_texts(stringify!($name), $name::WORDS, $name::TEXTS);
                for value in $name::ALL {
                    assert_eq!($name::from_word(value.word()), Some(*value));
                    assert!($name::TEXTS.contains(&value.text()));
                    let json = serde_json::to_value(value).unwrap();
                    assert_eq!(json, value.word(), "the word is the same in JSON");
                }
            )+
        };
    }
    walk!(
        Attack,
        Attacker,
        FeatureDomain,
        FeatureScaling,
        Gradient,
        InjectedLabels,
        Kind,
        Knob,
        Loss,
        Method,
        MetricName,
        Part,
        PointScore,
        Solver,
        Status,
        Step,
        Stop,
        TargetScaling,
        TaskScore,
        WarningCode
    );
}

#[test]
fn every_field_has_a_title_a_purpose_and_texts_for_its_choices() {
    for field in &FIELDS {
        assert!(
            !field.title.is_empty() && field.purpose.ends_with('.'),
            "{}",
            field.name
        );
        if let FieldKind::Choice { words, texts } = field.kind {
            assert_texts(field.name, words, texts);
        }
    }
}

#[test]
fn every_error_has_a_code_of_its_own_and_a_message() {
    let errors = [
        Error::field("budget", 7, "a number from 0 to 5"),
        Error::line(3, "a quote", "its end"),
        Error::offset(8, "version 2", "version 1"),
        Error::data("task a has no points"),
        Error::Numerical {
            place: "the lower level",
            what: "a number became infinite".to_string(),
        },
        Error::Cancelled,
    ];
    // No wildcard: a new kind of error does not compile until it is listed above.
    for error in &errors {
        match error {
            Error::Field { .. }
            | Error::Line { .. }
            | Error::Offset { .. }
            | Error::Data { .. }
            | Error::Numerical { .. }
            | Error::Cancelled => {}
        }
        assert!(!error.code().is_empty() && !error.to_string().is_empty());
    }
    let codes: std::collections::HashSet<&str> = errors.iter().map(Error::code).collect();
    assert_eq!(codes.len(), errors.len());
}

#[test]
fn every_figure_has_a_title_and_a_claim() {
    for figure in [Figure::Convergence, Figure::Quality, Figure::Correlations] {
        assert!(!figure.title().is_empty() && !figure.claim().is_empty());
    }
}

#[test]
fn citation_and_changelog_name_the_version_of_the_crate() {
    let version = env!("CARGO_PKG_VERSION");
    let citation = format!("\nversion: {version}\n");
    assert!(include_str!("../CITATION.cff").contains(&citation));
    let changes = format!("\n## {version}\n");
    assert!(include_str!("../CHANGELOG.md").contains(&changes));
}
