//! Times the work of `patom::workload` natively: the other half of benches/node.mjs.
//!
//! `timing FOLDER SECONDS` reads `FOLDER/NAME.bundle` and prints one JSON object: the median of the
//! seconds of each kind of work on each data set. And `peak`: multiply-adds a second of one core, the
//! most that separate products and sums can reach.

use std::hint::black_box;
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
    results.insert("peak".into(), peak().into());
    println!("{}", serde_json::Value::Object(results));
    Ok(())
}

/// Vectors of four numbers that are multiplied at a time: enough to hide how long one product takes, few
/// enough for the registers.
const CHAINS: usize = 6;

/// The best of many rounds.
fn peak() -> f64 {
    let rounds = 20_000;
    let mut best = f64::INFINITY;
    for _ in 0..200 {
        let start = Instant::now();
        multiply_adds(rounds, black_box(0.999_999));
        best = best.min(start.elapsed().as_secs_f64());
    }
    (4 * CHAINS * rounds) as f64 / best
}

#[multiversion::multiversion(targets("x86_64+avx+avx2"))]
fn multiply_adds(rounds: usize, factor: f64) {
    let mut products = [[1.0, 1.1, 1.2, 1.3]; CHAINS];
    let mut sums = [[0.0; 4]; CHAINS];
    for _ in 0..rounds {
        for (sums, products) in sums.iter_mut().zip(&mut products) {
            for k in 0..4 {
                sums[k] += products[k];
                products[k] *= factor;
            }
        }
    }
    black_box((sums, products));
}
