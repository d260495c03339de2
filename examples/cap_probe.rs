use patom::data::published::CATALOGUE;
use patom::experiment;
use patom::mtrl::{Limits, capped, certified};
use patom::spec::Spec;
use std::path::Path;
use std::time::Instant;

fn main() {
    let limits = Limits::default();
    let mut sets: Vec<(String, patom::data::DataSet)> = vec![];
    let spec = Spec::default_of("synthetic");
    sets.push((
        "synthetic".into(),
        experiment::load_synthetic(&spec).unwrap(),
    ));
    for source in &CATALOGUE {
        let Ok(bytes) = std::fs::read(Path::new("target/data").join(source.bundle_name())) else {
            continue;
        };
        sets.push((source.name.to_string(), source.read_bundle(&bytes).unwrap()));
    }
    let only = std::env::args().nth(1);
    for (name, data) in &sets {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let spec = Spec::default_of(name);
        let prepared = experiment::prepare(&spec, data, None).unwrap();
        for (what, problem) in [("clean", &prepared.clean), ("poisoned", &prepared.poisoned)] {
            let tasks: Vec<_> = (0..problem.task_count())
                .map(|i| problem.task(i).clone())
                .collect();
            let fresh = || {
                patom::mtrl::Problem::new(*problem.weights(), problem.dimension(), tasks.clone())
                    .unwrap()
            };
            let time = |f: &mut dyn FnMut()| {
                let mut best = f64::INFINITY;
                for _ in 0..(if std::env::args().nth(1).is_some() {
                    12
                } else {
                    9
                }) {
                    let t = Instant::now();
                    f();
                    best = best.min(t.elapsed().as_secs_f64());
                }
                best
            };
            let mut p = fresh();
            let plain = certified::solve(&mut p, None, &limits).unwrap();
            let build = time(&mut || {
                fresh();
            });
            let t0 = time(&mut || {
                let mut p = fresh();
                certified::solve(&mut p, None, &limits).unwrap();
            });
            println!(
                "{name} {what}: plain {} steps {} products {:.0} us (build {:.0})",
                plain.iterations,
                plain.products,
                t0 * 1e6,
                build * 1e6
            );
            for mu in [1e-3, 0.03, 0.1, 0.3, 1.0, 1e3] {
                let mut q = fresh().with_pull_cap(Some(mu)).unwrap();
                let s = capped::solve(&mut q, None, &limits).unwrap();
                let t = time(&mut || {
                    let mut q = fresh().with_pull_cap(Some(mu)).unwrap();
                    capped::solve(&mut q, None, &limits).unwrap();
                });
                let slopes = capped::own_slopes(&q, &s.w);
                let bind = slopes.iter().filter(|&&x| x > 0.99 * mu).count();
                let res = capped::residuals(&q, &s.w).into_iter().fold(0.0, f64::max);
                println!(
                    "   mu {mu}: {:?} {} steps {} products gap {:.1e} obj {:.6} bind {bind}/{} res {res:.1e} {:.0} us ratio {:.2} (with build {:.2})",
                    s.status,
                    s.iterations,
                    s.products,
                    s.certificate,
                    s.objective,
                    slopes.len(),
                    t * 1e6,
                    (t - build) / (t0 - build),
                    t / t0
                );
            }
        }
    }
}
