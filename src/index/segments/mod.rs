//! Segmented text: big index files that change a little at a time.
//!
//! A file is a head, entries in order, and a tail. Entries lie in segments of about 64 KiB of text,
//! segments in groups; all are immutable and shared by every state of the file that has them. A change makes one
//! segment and one group anew, and the file's CRC-32 comes from theirs. A segment is deflated when it is first read,
//! fast, and better when it has lasted; the gzip file is the list of these pieces.
//!
//! Knows nothing of packages: what an entry is and how entries are ordered is told by a [`Layout`].

mod balance;
mod changes;
mod checksum;
mod group;
mod layout;
mod lazy;
mod rendered;
mod segment;
mod text;

pub use layout::{Keyed, Layout, Lines, Members};
pub use rendered::Rendered;
pub use text::SegmentedText;
