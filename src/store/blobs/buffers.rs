//! Buffers of one chunk, used again and again.
//!
//! Owns those that are free. Content passes through thousands of buffers that are filled on one thread and emptied
//! on another, which leaves an allocator with far more memory than is in use.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::chunks::CHUNK_BYTES;

/// Buffers that are kept when nobody uses them: 4 MiB.
const FREE_MAX: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// An empty buffer with room for a chunk.
    pub(super) fn get(&self) -> Vec<u8> {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        free.map_or_else(
            || Vec::with_capacity(CHUNK_BYTES),
            |mut buffer| {
                buffer.clear();
                buffer
            },
        )
    }

    /// A buffer of at least `len` bytes, with anything in it: to be overwritten, without being cleared for that first.
    pub(super) fn get_dirty(&self, len: usize) -> Vec<u8> {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffer = free.unwrap_or_default();
        if buffer.len() < len {
            buffer.resize(len, 0);
        }
        buffer
    }

    /// Keeps a buffer that nobody needs any more, if there is room.
    pub(super) fn take_back(&self, buffer: Vec<u8>) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.capacity() >= CHUNK_BYTES && free.len() < FREE_MAX {
            free.push(buffer);
        }
    }

    /// Makes `buffer` shareable; its last owner gives it back.
    pub(super) fn share(self: &Arc<Self>, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(Shared { buffer, home: Arc::clone(self) })
    }
}

struct Shared {
    buffer: Vec<u8>,
    home: Arc<Buffers>,
}

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.home.take_back(std::mem::take(&mut self.buffer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty_after_its_last_owner() {
        let buffers = Arc::new(Buffers::default());
        let mut buffer = buffers.get();
        buffer.extend_from_slice(b"content");
        let shared = buffers.share(buffer);
        let part = shared.slice(2..4);
        drop(shared);
        assert!(buffers.0.lock().unwrap().is_empty());
        drop(part);
        assert_eq!(buffers.0.lock().unwrap().len(), 1);
        assert!(buffers.get().is_empty());
        assert_eq!(buffers.get_dirty(CHUNK_BYTES).len(), CHUNK_BYTES);
        drop(buffers.share(vec![1]));
        assert!(buffers.0.lock().unwrap().is_empty(), "too small to be of use");
    }
}
