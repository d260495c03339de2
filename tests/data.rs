//! Facts of the published data sets, and the way from raw files to the sample of a run. Tests that
//! need a file which is not there say `SKIPPED name: reason`.

use std::path::PathBuf;

use patom::data::formats::bundle;
use patom::data::sample::{SampleSettings, draw};
use patom::data::{DataSet, Kind, Layout, import, published};

fn folders() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var_os("PATOM_DATA").map(PathBuf::from);
    let beside = [root.join("../shared/data"), root.join("target/data")];
    named.into_iter().chain(beside).collect()
}

fn find(file: &str) -> Option<Vec<u8>> {
    folders()
        .iter()
        .find_map(|folder| std::fs::read(folder.join(file)).ok())
}

/// The data set, or a line that says which test is skipped.
fn data_or_skip(name: &str, test: &str) -> Option<DataSet> {
    let source = published::find(name).expect("a published data set");
    if let Some(file) = source.files.iter().find(|file| find(file.name).is_none()) {
        println!("SKIPPED {test}: {} is not there", file.name);
        return None;
    }
    Some(
        source
            .assemble(&find)
            .expect("the published files are read"),
    )
}

fn assert_is_pinned(data: &DataSet) {
    let source = published::find(&data.name).expect("a published data set");
    assert_eq!(data.sha256, source.sha256, "{}", data.name);
}

#[test]
fn landmine_has_29_tasks_14820_points_and_904_mines() {
    let test = "landmine_has_29_tasks_14820_points_and_904_mines";
    let Some(data) = data_or_skip("landmine", test) else {
        return;
    };
    assert_eq!(data.kind, Kind::Classification);
    assert_eq!((data.task_count(), data.features), (29, 9));
    assert_eq!(data.point_count(), 14_820);
    assert_eq!(data.points_per_task(), (445, 690));
    let Layout::Separate { tasks, .. } = &data.layout else {
        panic!("every field has points of its own");
    };
    let mines = tasks.iter().flat_map(|task| &task.labels);
    assert_eq!(mines.filter(|label| **label > 0.0).count(), 904);
    assert_is_pinned(&data);
}

#[test]
fn sarcos_has_4449_points_shared_by_7_tasks() {
    let test = "sarcos_has_4449_points_shared_by_7_tasks";
    let Some(data) = data_or_skip("sarcos", test) else {
        return;
    };
    assert_eq!(data.kind, Kind::Regression);
    assert_eq!((data.task_count(), data.features), (7, 21));
    assert_eq!(data.point_count(), 4449);
    assert!(matches!(data.layout, Layout::Shared { .. }));
    assert_is_pinned(&data);
}

#[test]
fn mnist_keeps_380_and_230_images_of_each_digit() {
    let test = "mnist_keeps_380_and_230_images_of_each_digit";
    let Some(data) = data_or_skip("mnist", test) else {
        return;
    };
    let Layout::Classes { train, test, .. } = &data.layout else {
        panic!("MNIST is one against the rest");
    };
    for digit in 0..10u8 {
        let count = |labels: &[f64]| {
            let of_digit = labels.iter().filter(|label| **label == f64::from(digit));
            of_digit.count()
        };
        assert_eq!((count(&train.labels), count(&test.labels)), (380, 230));
    }
    assert_is_pinned(&data);
}

#[test]
fn a_bundle_gives_back_every_bit_within_600_kb() {
    for name in ["landmine", "sarcos", "mnist"] {
        let Some(data) = data_or_skip(name, "a_bundle_gives_back_every_bit_within_600_kb") else {
            continue;
        };
        let bytes = bundle::encode(&data);
        assert!(bytes.len() <= 600_000, "{name}: {}", bytes.len());
        assert_eq!(bundle::decode(&bytes).unwrap(), data);
        println!("{name}: {} bytes", bytes.len());
    }
}

#[test]
fn a_fifth_of_landmine_is_89_to_138_points_a_task() {
    let test = "a_fifth_of_landmine_is_89_to_138_points_a_task";
    let Some(data) = data_or_skip("landmine", test) else {
        return;
    };
    let settings = SampleSettings {
        train_share: Some(0.2),
        ..SampleSettings::default()
    };
    let sample = draw(&data, &settings).unwrap();
    let counts = || sample.tasks.iter().map(|task| task.train.count());
    assert_eq!((counts().min(), counts().max()), (Some(89), Some(138)));
    for (task, whole) in sample.tasks.iter().zip([690, 690, 689]) {
        assert_eq!(task.train.count() + task.test.count(), whole);
    }
}

#[test]
fn a_raw_file_is_recognised_whatever_it_is_called() {
    let test = "a_raw_file_is_recognised_whatever_it_is_called";
    let Some(data) = data_or_skip("landmine", test) else {
        return;
    };
    let mut bytes = find("LandmineData.mat").unwrap();
    assert_eq!(published::recognise(&bytes).unwrap().unwrap(), data);
    let user = import::read_file("mine.mat", &bytes).unwrap();
    assert_eq!(
        user.sha256,
        published::find("landmine").unwrap().files[0].sha256
    );
    assert_eq!(user.task_count(), 29);
    bytes[200] ^= 1;
    assert!(published::recognise(&bytes).is_none());
}
