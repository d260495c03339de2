//! Injected points moved by hand.

use patom::by_hand::ByHand;
use patom::error::Error;
use patom::experiment::{self, Unobserved};
use patom::linalg::norm_squared;
use patom::spec::{Draft, Shape, Spec};

const SMALL: &str = r#"{"train_per_task": 12, "lambda1": 0.001, "lambda2": 0.01, "seed": 3,
    "attack": "indirect", "attackers": [3, 5], "iterations": 4"#;

fn spec(more: &str) -> Spec {
    let shape = Shape::named("synthetic").unwrap();
    let text = format!("{SMALL}{more}}}");
    Draft::parse(&text).unwrap().check(&shape).unwrap()
}

fn by_hand(more: &str) -> Result<ByHand, Error> {
    let spec = spec(more);
    ByHand::new(&spec, &experiment::load_synthetic(&spec).unwrap())
}

#[test]
fn points_that_were_not_moved_give_the_result_of_the_run() {
    let spec = spec("");
    let data = experiment::load_synthetic(&spec).unwrap();
    let outcome = experiment::run(&spec, &data, &mut Unobserved).unwrap();
    let again = by_hand("").unwrap().restore().unwrap();
    let pairs = outcome.report.attacked.metric_per_task.iter();
    for (a, b) in pairs.zip(&again.model.metric_per_task) {
        // Both are solved to 1e-9 of the objective, from different starts: the weights agree to
        // sqrt(2e-9 / 0.001) = 1.4e-3 at worst.
        assert!((a.unwrap() - b.unwrap()).abs() < 1e-3, "{a:?} {b:?}");
    }
    let utility = outcome.report.trace.last().unwrap().utility;
    assert!((again.utility / utility - 1.0).abs() < 1e-3);
    assert_eq!(again.places.len(), 8, "two points in each of two tasks");
}

#[test]
fn a_point_lies_where_it_was_put_and_inside_the_ball() {
    let mut hand = by_hand("").unwrap();
    let unmoved = hand.restore().unwrap().places;
    for place in [[0.0, 0.0], [0.3, -0.4], [0.6, 0.8]] {
        let moved = hand.move_to(2, place).unwrap();
        for (is, wanted) in moved.places[4..6].iter().zip(place) {
            assert!((is - wanted).abs() < 1e-12, "{:?} {place:?}", moved.places);
        }
        assert!(moved.norm <= 1.0 + 1e-12, "{}", moved.norm);
        assert_eq!(moved.places[..4], unmoved[..4]);
        assert_eq!(moved.places[6..], unmoved[6..]);
        // The third point of the picture is the first of the second attacking task.
        let d = 10;
        let x = &hand.injections()[1].points[..d];
        assert!((norm_squared(x).sqrt() - moved.norm).abs() < 1e-15);
        assert_eq!(hand.injections()[1].points[d].to_bits(), 1_f64.to_bits());
    }
    // Outside: the nearest place on the circle.
    let moved = hand.move_to(2, [3.0, 4.0]).unwrap();
    assert!((moved.places[4] - 0.6).abs() < 1e-12 && (moved.places[5] - 0.8).abs() < 1e-12);
}

#[test]
fn the_same_points_give_the_same_model_whatever_way_they_took() {
    let mut hand = by_hand("").unwrap();
    let before = hand.move_to(0, [0.1, 0.2]).unwrap();
    hand.move_to(0, [-0.9, 0.1]).unwrap();
    hand.move_to(1, [0.5, 0.5]).unwrap();
    hand.restore().unwrap();
    let again = hand.move_to(0, [0.1, 0.2]).unwrap();
    assert_eq!(before.model.weights, again.model.weights);
    assert_ne!(before.model.weights, hand.restore().unwrap().model.weights);
}

#[test]
fn points_with_a_domain_of_their_own_stay_in_it() {
    let mut hand = by_hand(r#", "feature_domain": "observed""#).unwrap();
    let spec = spec(r#", "feature_domain": "observed""#);
    let data = experiment::load_synthetic(&spec).unwrap();
    let sample = experiment::prepare(&spec, &data, None).unwrap().sample;
    hand.move_to(0, [0.9, 0.3]).unwrap();
    for (k, x) in hand.injections()[0].points[..sample.features]
        .iter()
        .enumerate()
    {
        let column = &sample.columns[k];
        let range = column.units.scaled(column.low)..=column.units.scaled(column.high);
        assert!(range.contains(x), "column {k}: {x} is not in {range:?}");
    }
}

#[test]
fn what_cannot_be_moved_is_refused() {
    let mut hand = by_hand("").unwrap();
    let message = |result: Result<_, Error>| match result {
        Err(error) => error.to_string(),
        Ok::<patom::by_hand::Retrained, _>(_) => String::new(),
    };
    assert!(message(hand.move_to(4, [0.0; 2])).contains("point"));
    assert!(message(hand.move_to(usize::MAX, [0.0; 2])).contains("point"));
    assert!(message(hand.move_to(0, [f64::NAN, 0.0])).contains("finite"));
    let error = by_hand(r#", "budget": 0"#).err().unwrap();
    assert_eq!(error.field_name(), Some("budget"));
    let copied = spec(r#", "injected_features": "copied""#);
    let data = experiment::load_synthetic(&copied).unwrap();
    let error = ByHand::new(&copied, &data).err().unwrap();
    assert_eq!(error.field_name(), Some("injected_features"));
}
