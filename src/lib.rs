//! PATOM Lab: data poisoning of multi-task relationship learning (MTRL).
//!
//! A learner trains m linear models together and learns, from the data, which tasks are related.
//! An attacker may add a few training points to some of the tasks, and places them so that the
//! models of the *target* tasks become as bad as possible. This crate computes the learner's model
//! and the attacker's best points. After M. Zhao, B. An, Y. Yu, S. Liu, S. J. Pan, "Data Poisoning
//! Attacks on Multi-Task Relationship Learning", AAAI 2018.
//!
//! # The problem
//!
//! Task i has training points (x, y), x with d features and a 1 for the bias; N_i of them, clean
//! and injected together. W is D x m with D = d + 1; its column w_i is the model of task i.
//!
//! **Lower level: the learner.** With the loss of a point l = (y - w'x)² (regression) or
//! l = max(0, 1 - y w'x)² (labels -1 and +1), the learner minimises over W and Ω
//!
//! ```text
//! Σ_i 1/N_i Σ_j l(y_ij, w_i'x_ij) + λ1/2 |W|² + λ2/2 tr(W Ω⁻¹ W'),   Ω ⪰ 0,  tr Ω = 1.
//! ```
//!
//! Ω is the covariance of the tasks. With a floor ε, W'W + εI in place of W'W, the best Ω for a
//! given W is S / tr S with S = (W'W + εI)^(1/2), and what is left is convex in W:
//!
//! ```text
//! P(W)  = Σ_i 1/N_i Σ_j l + λ1/2 |W|² + λ2/2 (tr S)²
//! ∇P(W) = ∇data + λ1 W + λ2 (tr S) W S⁻¹
//! P(W) - min P ≤ |∇P(W)|² / (2 λ1)
//! ```
//!
//! The last line is the *certificate*, since P is λ1-strongly convex: every solve reports it, and a
//! solve that ends above its tolerance has another status. At ε = 0 the coupling is a squared trace norm, Ω is
//! singular as soon as m > D, and only the alternation of W and Ω is on offer (see
//! [`mtrl::alternating`]).
//!
//! **Upper level: the attacker.** The variables are the features of the injected points; their
//! labels are drawn once and stay. The attacker raises
//!
//! ```text
//! U = Σ over target tasks p, Σ over the clean training points of p, of l
//! ```
//!
//! (or, beyond the paper, the loss of pairs that are ranked wrongly: [`attack::ranking`])
//! through W, the learner's answer, while each injected point stays in a ball of radius r (or at values
//! that clean points have, [`attack::Domain`]) and task
//! i gets floor(b n_i) of them. U's gradient by an injected point x̂ of task i, x̃ = (x̂, 1), where
//! H is the Hessian of the lower level and H V = ∇_W U (squared loss; [`attack::gradient`] has
//! both):
//!
//! ```text
//! ∇U = -2/N_i [ (w_i'x̃ - ŷ) v_i + (v_i'x̃) w_i ]
//! ```
//!
//! Three gradients are on offer: `implicit_total` (exact), `implicit` (H for a fixed Ω) and
//! `published` (the paper's: Φ = Ω (λ1 Ω + λ2 I)⁻¹ for H⁻¹, and dual variables that count as
//! constants). The exact ones agree with central differences; the tests show it.
//!
//! # Symbols
//!
//! | symbol | in the code | meaning |
//! | --- | --- | --- |
//! | m | `m`, `task_count` | number of tasks |
//! | d, D | `features`, `dimension` | number of features; with the bias, which is last |
//! | n_i, n̂_i, N_i | `clean`, counts of labels | clean, injected and all training points of task i |
//! | x, y | `points`, `labels` | a training point and its label |
//! | x̂, ŷ, x̃ | [`attack::Injection`] | an injected point, its label; with the bias |
//! | W, w_i | `w`, row i | models; in memory m rows of D entries |
//! | Ω, S | [`mtrl::Spectrum`] | task covariance; (W'W + εI)^(1/2) |
//! | Φ | `spectrum` | Ω (λ1 Ω + λ2 I)⁻¹ |
//! | λ1, λ2, ε | `lambda1`, `lambda2`, `epsilon` | weights of the terms; floor of the covariance |
//! | P | `objective` | what the learner minimises |
//! | U | `utility` | what the attacker raises |
//! | V | `Response` in [`attack::gradient`] | H⁻¹ ∇_W U |
//! | b, r, η | `budget`, `radius`, `step_size` | share of injected points, their ball, step |
//! | T1 ... Tm | 0 ... m - 1 | tasks, as people are shown them and as files number them |
//!
//! The heatmaps show Ω_ij / sqrt(Ω_ii Ω_jj), called `correlation`. NMSE is the mean squared error
//! over the variance of the test labels; AUC counts ties one half and has no value where the test
//! points are all of one class.
//!
//! # Modules
//!
//! A file uses only what is above it in this table.
//!
//! | module | what | what it leaves to others |
//! | --- | --- | --- |
//! | [`error`] | the one error type: place, value, reason | |
//! | `interrupt` | ends a solve in the middle, for Python | |
//! | [`warning`] | what can make a result meaningless, and what is left out of a file | what raises it |
//! | `choice`, `ranges`, `affine` | enums with words and texts; lists of numbers as text; the units of a column | |
//! | [`rng`] | one seed, named portable streams | |
//! | [`linalg`] | the kernels that decide the speed, with one fixed order of every sum | tasks |
//! | [`data`] | checked data sets; file `formats`, `published` data sets, `import` of a user's file, the `synthetic` set, the `sample` of a run | opening files |
//! | [`metrics`] | NMSE, AUC | |
//! | [`mtrl`] | the lower level: problem, two solvers, solution with status and certificate | attacks |
//! | [`attack`] | the upper level: utility, gradients, steps, the loop | metrics, reports |
//! | [`defence`] | sanitisers, certificates of the pull cap, ranking, detection figures; [`defence::study`], which uses [`experiment`], measures them all | the capped learner itself (`mtrl`) |
//! | [`projection`] | a plane in which clean and injected points are shown | drawing |
//! | [`spec`] | everything that determines a run: the table of fields, rules, links | data |
//! | [`report`] | the result of a run, and its digest | files |
//! | `diagnosis` | warnings: what can make the result of a run meaningless | what is noticed in a file |
//! | [`experiment`] | specification and data to report: the one entry of all front ends | clocks, files |
//! | [`tuning`] | λ1 and λ2 by cross-validation | threads, files |
//! | [`by_hand`] | injected points that a person moves, and the model retrained | drawing |
//! | [`sweep`] | grids of specifications, keys of runs, rows of results | threads, files |
//! | [`risk`] | the map of which task can be used against which | threads, files |
//! | [`paper`] | the paper's figures as sweeps, findings, the comparison with its claims | threads, files |
//! | `chart` | reports to drawings, on any plotters backend (feature `charts`) | where they go |
//! | [`provenance`] | files that carry their specification: pictures, reports | drawing |
//! | `wasm` | the boundary to JavaScript: converts and forwards | arithmetic |
//! | `pool` | items on several threads: the command line and the Python package | what is done |
//! | `python` | the extension module of the Python package: converts and forwards | arithmetic, files |
//! | `bin/patom` | the command line: reads and writes files, prints, exits | |
//!
//! # Example
//!
//! ```
//! use patom::experiment::{self, Unobserved};
//! use patom::spec::{Draft, Shape};
//!
//! let draft = Draft::parse(r#"{"dataset": "synthetic", "iterations": 3}"#)?;
//! let shape = Shape::named("synthetic").expect("it is always there");
//! let spec = draft.check(&shape).map_err(|mut errors| errors.remove(0))?;
//! let data = experiment::load_synthetic(&spec)?;
//! let report = experiment::run(&spec, &data, &mut Unobserved)?.report;
//! assert!(report.converged());
//! assert!(report.trace[3].utility > report.trace[0].utility);
//! # Ok::<(), patom::Error>(())
//! ```
//!
//! # Reproducibility
//!
//! The same specification and data give the same bits natively and in WebAssembly: sums have one
//! written order, there is no fused multiply-add and no choice of instructions at run time,
//! transcendental functions come from `libm`, and random numbers from a generator that is specified
//! bit by bit. Two runs agree if and only if the digests of their reports are equal.

mod affine;
pub mod attack;
mod attacker;
pub mod by_hand;
#[cfg(feature = "charts")]
pub mod chart;
mod choice;
pub mod data;
pub mod defence;
mod diagnosis;
pub mod error;
pub mod experiment;
mod interrupt;
pub mod linalg;
pub mod metrics;
mod minus;
pub mod mtrl;
pub mod paper;
#[cfg(any(feature = "cli", feature = "python"))]
pub mod pool;
pub mod projection;
pub mod provenance;
#[cfg(feature = "python")]
mod python;
mod ranges;
pub mod report;
pub mod risk;
pub mod rng;
pub mod spec;
pub mod sweep;
pub mod tuning;
pub mod warning;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
#[cfg(feature = "bench")]
pub mod workload;

pub use error::{Error, Result};
