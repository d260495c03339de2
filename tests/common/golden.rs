//! The golden specifications: the native tests and the wasm tests run the same table.
#![allow(dead_code, reason = "each test file uses a part")]

/// Name and link. Together they reach every choice of every field; the small numbers keep the runs
/// short in wasm without optimisation.
pub const SYNTHETIC: [(&str, &str); 24] = [
    ("regression", "v=1&d=synthetic&i=4"),
    (
        "regression_fixed_covariance",
        "v=1&d=synthetic&i=4&g=implicit",
    ),
    (
        "regression_paper",
        "v=1&d=synthetic&i=4&g=published&p=constant&eps=0.01&o=alternating",
    ),
    (
        "regression_no_floor",
        "v=1&d=synthetic&i=2&g=published&p=constant&eps=0&o=alternating",
    ),
    (
        "regression_indirect_constant",
        "v=1&d=synthetic&i=3&k=indirect&g=implicit_total&p=constant",
    ),
    (
        "regression_hybrid_raw",
        "v=1&d=synthetic&i=3&k=hybrid&z=raw&y=resampled&s=7&l1=0.01",
    ),
    ("regression_random", "v=1&d=synthetic&m=random&b=0.5"),
    ("classification", "v=1&d=synthetic&i=4&l=squared_hinge"),
    (
        "classification_fixed_covariance",
        "v=1&d=synthetic&i=3&l=squared_hinge&g=implicit&p=constant",
    ),
    (
        "classification_paper",
        "v=1&d=synthetic&i=4&l=squared_hinge&g=published&p=constant&eps=0.01&o=alternating",
    ),
    (
        "classification_indirect",
        "v=1&d=synthetic&i=3&l=squared_hinge&k=indirect&y=flipped&x=0.5&l2=1",
    ),
    (
        "classification_few_points",
        "v=1&d=synthetic&i=3&l=squared_hinge&n=6&nt=50&b=1&ps=10&eps=0.0001",
    ),
    (
        "regression_standardised_features",
        "v=2&d=synthetic&i=3&fs=standard",
    ),
    (
        "regression_observed_features",
        "v=2&d=synthetic&i=3&fs=standard&fd=observed&k=indirect",
    ),
    (
        "classification_observed_constant",
        "v=2&d=synthetic&i=2&l=squared_hinge&fd=observed&p=constant&g=published",
    ),
    (
        "regression_capped",
        "v=2&d=synthetic&i=3&le=capped&k=indirect&sa=norm&x=q75",
    ),
    (
        "regression_capped_constant",
        "v=2&d=synthetic&i=2&le=capped&pc=0.5&g=implicit&p=constant&sa=trim&ss=0.2&x=q95",
    ),
    (
        "classification_capped",
        "v=2&d=synthetic&i=3&l=squared_hinge&le=capped&pc=0.02&k=hybrid",
    ),
    (
        "regression_single_task_copied",
        "v=2&d=synthetic&i=3&le=single_task&if=copied&sa=vouch&ss=0.1",
    ),
    (
        "classification_copied",
        "v=2&d=synthetic&i=3&l=squared_hinge&if=copied&k=indirect&sa=vouch",
    ),
    (
        "classification_ranking",
        "v=2&d=synthetic&i=3&l=squared_hinge&ut=ranking",
    ),
    (
        "classification_ranking_constant",
        "v=2&d=synthetic&i=2&l=squared_hinge&ut=ranking&p=constant&g=published&k=indirect",
    ),
    (
        "regression_starts",
        "v=2&d=synthetic&i=2&st=3&k=indirect&kn=0.5",
    ),
    (
        "classification_limited_knowledge",
        "v=2&d=synthetic&i=3&l=squared_hinge&kn=0.3&ut=ranking&x=q95&y=flipped",
    ),
];

/// How many threads or workers share the specifications, one count after another.
pub const WORKERS: [usize; 3] = [1, 2, 4];

/// The same on published data, which need not be there: data set, name, link.
pub const PUBLISHED: [(&str, &str, &str); 8] = [
    ("landmine", "landmine", "v=1&d=landmine&i=4"),
    (
        "landmine",
        "landmine_paper",
        "v=1&d=landmine&i=3&k=hybrid&g=published&p=constant&o=alternating",
    ),
    (
        "landmine",
        "landmine_ranking",
        "v=2&d=landmine&i=3&ut=ranking&st=2&kn=0.8",
    ),
    ("sarcos", "sarcos", "v=1&d=sarcos&i=4"),
    (
        "sarcos",
        "sarcos_indirect_paper",
        "v=1&d=sarcos&i=3&k=indirect&g=published&p=constant",
    ),
    (
        "sarcos",
        "sarcos_rows_apart",
        "v=2&d=sarcos&i=2&k=indirect&sr=false",
    ),
    ("mnist", "mnist", "v=1&d=mnist&i=2"),
    (
        "mnist",
        "mnist_paper",
        "v=1&d=mnist&i=2&k=indirect&g=published&p=constant",
    ),
];

/// Data set, name and link of all of them.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let synthetic = SYNTHETIC.map(|(name, link)| ("synthetic", name, link));
    synthetic.into_iter().chain(PUBLISHED)
}
