//! [`Files`]: a data directory held in memory, to be copied for as many servers as need it.

use std::fs;
use std::path::{Path, PathBuf};

/// The files of a stopped server's directory.
pub(crate) struct Files(Vec<(PathBuf, Vec<u8>)>);

impl Files {
    /// Reads a directory.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut files = Vec::new();
        collect(folder, Path::new(""), &mut files);
        Self(files)
    }

    /// Writes it into another.
    pub(crate) fn write_to(&self, folder: &Path) {
        for (path, bytes) in &self.0 {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().expect("it is inside of the folder")).expect("a folder can be made");
            fs::write(path, bytes).expect("a file can be written");
        }
    }
}

fn collect(root: &Path, inside: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(root.join(inside)).expect("the folder can be read") {
        let path = inside.join(entry.expect("its entries too").file_name());
        if root.join(&path).is_dir() {
            collect(root, &path, files);
        } else if path != Path::new("lock") {
            let bytes = fs::read(root.join(&path)).expect("a file can be read");
            files.push((path, bytes));
        }
    }
}
