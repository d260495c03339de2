//! Build, data, serve, test.
mod data;

fn main() -> std::io::Result<()> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    data::prepare(&root, &root.join("dist/data")).map(drop)
}
