//! Times the work of `patom::workload` natively: the other half of benches/node.mjs.
//!
//! `timing FOLDER SECONDS` reads `FOLDER/NAME.bundle` and prints one JSON object: the median of the
//! seconds of each kind of work on each data set.

use std::path::Path;
use std::time::Instant;

use patom::data::published::CATALOGUE;
use patom::workload::{KINDS, Workload, time};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("expected FOLDER SECONDS")?;
    let seconds: f64 = arguments.next().ok_or("expected FOLDER SECONDS")?.parse()?;
    let start = Instant::now();
    let now = || start.elapsed().as_secs_f64();
    let mut results = serde_json::Map::new();
    for source in &CATALOGUE {
        let Ok(bytes) = std::fs::read(Path::new(&folder).join(source.bundle_name())) else {
            continue;
        };
        let data = source.read_bundle(&bytes)?;
        let mut work = Workload::new(&data)?;
        for kind in KINDS {
            work.repeat(kind)?;
            let mut times = time(&mut || work.repeat(kind), 5, seconds, &now)?;
            times.sort_by(f64::total_cmp);
            let median = times[times.len() / 2];
            results.insert(format!("{kind}/{}", source.name), median.into());
        }
    }
    println!("{}", serde_json::Value::Object(results));
    Ok(())
}
