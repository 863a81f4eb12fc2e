//! The byte order mark before texts in UTF-8, which editors and shells of Windows write.

/// The bytes of a text in UTF-8 without the mark that may stand before it (RFC 8259, section 8.1, lets a parser of JSON
/// ignore it).
#[must_use]
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Why bytes are no UTF-8, where they begin as UTF-16 does: Windows PowerShell's `>` and `Out-File` write that.
#[must_use]
pub fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")
}
