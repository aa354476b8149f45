//! Compresses what the program carries with it: the OpenAPI document takes a tenth of its size, and is hardly ever read.
#![forbid(unsafe_code)]

use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder};

fn main() -> io::Result<()> {
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    compress(Path::new("src/openapi.json"), Path::new(&out))
}

/// `file` as `file.gz` in `directory`; without name and time in it, so that the same file always gives the same bytes.
fn compress(file: &Path, directory: &Path) -> io::Result<()> {
    // Cargo reads these lines.
    writeln!(io::stdout(), "cargo::rerun-if-changed={}", file.display())?;
    let mut name = file
        .file_name()
        .ok_or(io::ErrorKind::InvalidInput)?
        .to_owned();
    name.push(".gz");
    let to = File::create(directory.join(name))?;
    let mut gzip = GzBuilder::new().write(to, Compression::best());
    gzip.write_all(&fs::read(file)?)?;
    gzip.finish()?;
    Ok(())
}
