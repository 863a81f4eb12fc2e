//! `export` and `import`: views as static files, and such files as packages again.

mod hostile;
mod real;
mod round_trip;
mod site;
mod tree;
