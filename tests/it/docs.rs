//! The documentation: as the server shows it, and true to what it describes.

mod commands;
mod pages;
