//! Build, data, serve, test.
fn main() {}
