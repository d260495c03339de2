//! Build, data, serve, test.
mod data;

fn main() -> std::io::Result<()> {
    let root = std::env::args().nth(1).map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".."),
        Into::into,
    );
    data::prepare(&root, &root.join("dist/data")).map(drop)
}
