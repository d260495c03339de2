//! The risk map: its entries are runs, and what it says of them follows from them.

use patom::experiment::{self, Unobserved};
use patom::mtrl::Status;
use patom::risk::{Base, Cell, cell_spec};
use patom::spec::{Draft, Shape, Spec};

fn spec(text: &str) -> Spec {
    let shape = Shape::named("synthetic").unwrap();
    Draft::parse(text).unwrap().check(&shape).unwrap()
}

fn cells(base: &Base) -> Vec<Cell> {
    let m = base.task_count();
    (0..m * m)
        .map(|k| base.cell(k / m, k % m).unwrap())
        .collect()
}

#[test]
fn an_entry_is_the_run_of_its_specification_bit_for_bit() {
    for text in [
        r#"{"iterations": 3}"#,
        r#"{"iterations": 3, "loss": "squared_hinge"}"#,
        r#"{"iterations": 2, "learner": "capped"}"#,
        r#"{"iterations": 2, "injected_features": "copied"}"#,
    ] {
        let spec = spec(text);
        let data = experiment::load_synthetic(&spec).unwrap();
        let base = Base::new(&spec, &data).unwrap();
        for (attacker, target) in [(0, 0), (5, 1), (1, 5)] {
            let cell = base.cell(attacker, target).unwrap();
            let spec = cell_spec(&spec, attacker, target);
            let report = experiment::run(&spec, &data, &mut Unobserved)
                .unwrap()
                .report;
            assert_eq!(
                cell.attacked, report.attacked.metric_per_task[target],
                "{text}"
            );
            let clean = report.clean.metric_per_task[target].unwrap();
            assert_eq!(base.clean_metric[target], Some(clean), "{text}");
            let worse = cell.attacked.unwrap() - clean;
            let expected = if text.contains("hinge") {
                -worse
            } else {
                worse
            };
            assert_eq!(cell.damage, Some(expected), "{text}");
            assert_eq!(cell.status, Status::Converged);
        }
    }
}

#[test]
fn with_a_cap_no_task_can_be_used_against_another() {
    let worst = |text: &str| {
        let spec = spec(text);
        let data = experiment::load_synthetic(&spec).unwrap();
        let base = Base::new(&spec, &data).unwrap();
        let map = base.map(&cells(&base));
        assert!(map.converged);
        (map.worst_indirect.unwrap().2, map.worst_direct.unwrap().1)
    };
    let (indirect, direct) = worst(r#"{"iterations": 8}"#);
    let (capped, capped_direct) =
        worst(r#"{"iterations": 8, "learner": "capped", "pull_cap": 0.03}"#);
    assert!(capped < 0.1 * indirect, "{capped} {indirect}");
    // Against direct attacks it does not help.
    assert!(capped_direct > 0.5 * direct, "{capped_direct} {direct}");
    let (alone, _) = worst(r#"{"iterations": 8, "learner": "single_task"}"#);
    // What the tolerance of the solver leaves.
    assert!(alone.abs() < 1e-3, "{alone}");
}

#[test]
fn the_map_names_the_worst_of_its_entries() {
    let spec = spec(r#"{"iterations": 1}"#);
    let data = experiment::load_synthetic(&spec).unwrap();
    let base = Base::new(&spec, &data).unwrap();
    let m = base.task_count();
    // Task 2 harms all others, most of all task 6; everyone harms task 4; task 7 hurts itself.
    let damage = |i: usize, j: usize| match (i, j) {
        (7, 7) => 2.0,
        (i, j) if i == j => 0.5,
        (2, 6) => 0.9,
        (2, _) => 0.3,
        (_, 4) => 0.4,
        _ => 0.0,
    };
    let made: Vec<Cell> = (0..m * m)
        .map(|k| Cell {
            attacker: k / m,
            target: k % m,
            attacked: Some(1.0),
            damage: Some(damage(k / m, k % m)),
            status: Status::Converged,
        })
        .collect();
    let map = base.map(&made);
    assert_eq!(map.worst_indirect, Some((2, 6, 0.9)));
    assert_eq!(map.worst_direct, Some((7, 2.0)));
    assert_eq!(map.most_dangerous, Some(2));
    assert_eq!(map.most_exposed, Some(4));
    assert!(map.converged);
    let text = map.csv();
    assert_eq!(text.lines().count(), 1 + m * m);
    let header = "attacker,target,clean_nmse,attacked_nmse,damage,correlation";
    assert_eq!(text.lines().next(), Some(header));
    let mut late = made;
    late[5].status = Status::Stalled;
    assert!(!base.map(&late).converged);
}

#[test]
fn a_map_of_random_points_is_refused() {
    let spec = spec(r#"{"method": "random"}"#);
    let data = experiment::load_synthetic(&spec).unwrap();
    let message = Base::new(&spec, &data).err().unwrap().to_string();
    assert!(
        message.starts_with("method: random does not optimise"),
        "{message}"
    );
}
