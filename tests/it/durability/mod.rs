//! What was acknowledged lasts, and nothing is ever half done: whatever fails, whenever it fails.
//!
//! `reference` says what should be there and `expected_index` which index files follow from it; `world` drives a
//! registry on a simulated disk beside it.

mod backup;
mod compact;
pub(crate) mod disk;
pub(crate) mod expected_index;
mod faults;
mod kill;
pub(crate) mod load;
mod model;
pub(crate) mod reference;
mod script;
mod space;
mod world;
