//! Watches how deep JSON nests while its bytes pass by, before any parser sees it.

/// Follows the nesting of JSON, or of lines of JSON, through any number of pieces.
#[derive(Debug, Clone, Default)]
pub struct JsonDepth {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

/// JSON nested deeper than anything of ours is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it nests JSON deeper than {depth_max}")]
pub struct TooDeep {
    /// The limit.
    pub depth_max: usize,
}

impl JsonDepth {
    /// Takes the next piece.
    ///
    /// # Errors
    /// If more than `depth_max` arrays and objects are open at some byte of it. Text that is no JSON may be refused or
    /// not; a parser that follows finds out.
    pub fn pass(&mut self, piece: &[u8], depth_max: usize) -> Result<(), TooDeep> {
        for &byte in piece {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.depth += 1;
                    if self.depth > depth_max {
                        return Err(TooDeep { depth_max });
                    }
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passes(text: &str, depth_max: usize) -> bool {
        JsonDepth::default().pass(text.as_bytes(), depth_max).is_ok()
    }

    #[test]
    fn brackets_count_outside_of_strings() {
        assert!(passes(r#"{"a": [1, {"[[[[\"[[": 2}]} {"b": [[]]}"#, 3));
        assert!(!passes(r#"{"a": [1, {"b": 2}]}"#, 2));
        assert!(!passes(&"[".repeat(10_000), 64));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(text in "[\\[\\]{}\"\\\\a\n]{0,60}", cut in 0usize..60, depth_max in 1usize..5) {
            let cut = cut.min(text.len());
            let mut depth = JsonDepth::default();
            let (head, tail) = text.as_bytes().split_at(cut);
            let in_pieces = depth.pass(head, depth_max).and_then(|()| depth.pass(tail, depth_max)).is_ok();
            prop_assert_eq!(in_pieces, passes(&text, depth_max));
        }
    }
}
