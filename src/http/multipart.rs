//! `multipart/form-data` (RFC 7578, RFC 2046 section 5.1), read part by part as it comes.
//!
//! Owns the grammar and its limits: how many parts, how long their heads. What the parts mean and how long their content
//! may be is for the handlers. Content is handed on in the buffers that it came in, so memory does not grow with it.
//!
//! An own parser of two hundred lines: `multer`, the crate for it, brings five more crates with it, among them
//! `encoding_rs`, ten times the size of all that stands in `http`, and does not bound the number of parts. The search for
//! boundaries is `memchr`'s, which is built in anyway.

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use memchr::{memmem, memrchr};
use percent_encoding::percent_decode_str;

use super::{Problem, RequestBody};

/// Most parts of one body: forms here have a handful.
const PARTS_MAX: usize = 16;
/// Longest head of a part, in bytes: a file's name fits many times over.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// Longest boundary (RFC 2046, section 5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;
/// Most bytes before the first boundary, behind the last, and of white space behind each: nobody needs any.
const PADDING_BYTES_MAX: usize = 1024;

/// What stands above the content of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PartHead {
    /// The field's name.
    pub(super) name: String,
    /// What the file is called where it comes from, as it was said.
    pub(super) filename: Option<String>,
    /// What kind of content it is, as it was said.
    pub(super) content_type: Option<String>,
}

/// Why a body is no form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum MultipartError {
    /// The header does not say what divides the parts.
    #[error("Content-Type must say the boundary, 1 to 70 characters: multipart/form-data; boundary=…")]
    NoBoundary,
    /// It ends before the last boundary.
    #[error("the form ends before its last boundary --…--")]
    Cut,
    /// A boundary's line goes on with something else, or too much stands around the parts.
    #[error("the form has a line that is neither a boundary nor part of a field")]
    Stray,
    /// More parts than are taken.
    #[error("a form has at most {PARTS_MAX} fields")]
    TooManyParts,
    /// A part's head is too long.
    #[error("the head of a field has at most {HEAD_BYTES_MAX} bytes")]
    LongHead,
    /// A part's head cannot be read.
    #[error("each field needs a line such as Content-Disposition: form-data; name=\"archive\"; filename=\"a.zip\"")]
    MalformedHead,
    /// The content is written in another way than as it is.
    #[error("fields are sent as they are, without Content-Transfer-Encoding (RFC 7578, section 4.7)")]
    Encoded,
}

impl From<MultipartError> for Problem {
    fn from(error: MultipartError) -> Self {
        Self::bad_request(error.to_string())
    }
}

/// A form that is being received.
pub(super) struct Multipart {
    body: RequestBody,
    parser: Parser,
}

impl Multipart {
    /// The form in a request's body.
    ///
    /// # Errors
    /// If the headers say that it is none.
    pub(super) fn new(headers: &HeaderMap, body: RequestBody) -> Result<Self, Problem> {
        if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(Problem::unsupported_media_type("a form is sent as it is, without Content-Encoding"));
        }
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("multipart/form-data") {
            return Err(Problem::unsupported_media_type(
                "this takes multipart/form-data, or application/x-www-form-urlencoded without a file",
            ));
        }
        Ok(Self { body, parser: Parser::new(&boundary(content_type)?) })
    }

    /// The next part, whatever is left of the one before; none at the end of the form.
    ///
    /// # Errors
    /// If the form or the body is broken.
    pub(super) async fn next_part(&mut self) -> Result<Option<PartHead>, Problem> {
        loop {
            match self.next_event().await? {
                Event::Part(head) => return Ok(Some(head)),
                Event::End => return Ok(None),
                Event::Content(_) | Event::PartEnd => {}
            }
        }
    }

    /// The next bytes of the part's content; none at its end.
    ///
    /// # Errors
    /// If the form or the body is broken.
    pub(super) async fn next_chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        match self.next_event().await? {
            Event::Content(bytes) => Ok(Some(bytes)),
            _ => Ok(None),
        }
    }

    /// All of the part's content, for a field that is small.
    ///
    /// # Errors
    /// 413 if it is longer than the limit, or if the form or the body is broken.
    pub(super) async fn collect(&mut self, limit_bytes: usize) -> Result<BytesMut, Problem> {
        let mut all = BytesMut::new();
        while let Some(bytes) = self.next_chunk().await? {
            if all.len() + bytes.len() > limit_bytes {
                return Err(Problem::too_large(limit_bytes as u64));
            }
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    /// What the rest of the body has at most, where its length is known, in bytes.
    pub(super) fn left_bytes(&self) -> Option<u64> {
        self.body.expected_bytes().map(|expected| expected + self.parser.buffer.len() as u64)
    }

    async fn next_event(&mut self) -> Result<Event, Problem> {
        loop {
            if let Some(event) = self.parser.next()? {
                return Ok(event);
            }
            match self.body.next_chunk().await? {
                Some(bytes) => self.parser.feed(bytes),
                None => self.parser.end()?,
            }
        }
    }
}

/// What comes next in a form.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Event {
    /// A part begins.
    Part(PartHead),
    /// Some of its content, never empty.
    Content(Bytes),
    /// The part is over.
    PartEnd,
    /// The form is over.
    End,
}

/// Where in a form the buffer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Preamble,
    /// Behind a boundary.
    Boundary,
    /// In a part's head.
    Head,
    /// In a part's content.
    Content,
    /// Behind the last boundary.
    Epilogue,
    /// Nothing follows.
    Ended,
}

/// The grammar, without input of its own: [`Parser::feed`] when [`Parser::next`] has nothing.
struct Parser {
    state: State,
    /// What came and was not handed on. Bytes of a content only stay if a boundary may begin with them.
    buffer: Bytes,
    /// Line feed, two hyphens and the boundary.
    delimiter: memmem::Finder<'static>,
    parts: usize,
    padding_bytes: usize,
}

impl Parser {
    fn new(boundary: &str) -> Self {
        let delimiter = memmem::Finder::new(format!("\r\n--{boundary}").as_bytes()).into_owned();
        // The first boundary may stand at the very beginning, as if a line feed came before it.
        let buffer = Bytes::from_static(b"\r\n");
        Self { state: State::Preamble, buffer, delimiter, parts: 0, padding_bytes: 0 }
    }

    fn feed(&mut self, bytes: Bytes) {
        if self.buffer.is_empty() {
            self.buffer = bytes;
        } else {
            let mut joined = BytesMut::with_capacity(self.buffer.len() + bytes.len());
            joined.extend_from_slice(&self.buffer);
            joined.extend_from_slice(&bytes);
            self.buffer = joined.freeze();
        }
    }

    /// Takes notice that nothing more comes.
    fn end(&mut self) -> Result<(), MultipartError> {
        match self.state {
            State::Epilogue | State::Ended => {
                self.state = State::Ended;
                Ok(())
            }
            _ => Err(MultipartError::Cut),
        }
    }

    /// What comes next; nothing where more must be fed first.
    fn next(&mut self) -> Result<Option<Event>, MultipartError> {
        loop {
            match self.state {
                State::Preamble => match self.delimiter.find(&self.buffer) {
                    Some(at) => {
                        self.pad(at)?;
                        self.buffer.advance(self.delimiter.needle().len());
                        self.state = State::Boundary;
                    }
                    None => {
                        let settled = self.settled();
                        self.pad(settled)?;
                        return Ok(None);
                    }
                },
                State::Boundary => {
                    let padding = self.buffer.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                    match self.buffer.get(padding..padding + 2) {
                        Some(b"\r\n") => {
                            // The line feed stays: a part without a head has only it and one more.
                            self.pad(padding)?;
                            self.parts += 1;
                            if self.parts > PARTS_MAX {
                                return Err(MultipartError::TooManyParts);
                            }
                            self.state = State::Head;
                        }
                        Some(b"--") if padding == 0 => {
                            self.buffer.advance(2);
                            self.state = State::Epilogue;
                        }
                        Some(_) => return Err(MultipartError::Stray),
                        None if padding > PADDING_BYTES_MAX => return Err(MultipartError::Stray),
                        None => return Ok(None),
                    }
                }
                State::Head => {
                    // The buffer begins with the line feed of the boundary.
                    let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n").filter(|end| *end <= HEAD_BYTES_MAX) else {
                        if self.buffer.len() > HEAD_BYTES_MAX {
                            return Err(MultipartError::LongHead);
                        }
                        return Ok(None);
                    };
                    let lines = self.buffer.split_to(end);
                    self.buffer.advance(4);
                    self.state = State::Content;
                    return Ok(Some(Event::Part(head(&lines)?)));
                }
                State::Content => match self.delimiter.find(&self.buffer) {
                    Some(0) => {
                        self.buffer.advance(self.delimiter.needle().len());
                        self.state = State::Boundary;
                        return Ok(Some(Event::PartEnd));
                    }
                    Some(at) => return Ok(Some(Event::Content(self.buffer.split_to(at)))),
                    None => {
                        let settled = self.settled();
                        return Ok((settled > 0).then(|| Event::Content(self.buffer.split_to(settled))));
                    }
                },
                State::Epilogue => {
                    self.pad(self.buffer.len())?;
                    return Ok(None);
                }
                State::Ended => return Ok(Some(Event::End)),
            }
        }
    }

    /// How much of the buffer cannot be the beginning of a boundary.
    fn settled(&self) -> usize {
        // Only the first byte of a delimiter is a carriage return.
        match memrchr(b'\r', &self.buffer) {
            Some(at) if self.delimiter.needle().starts_with(&self.buffer[at..]) => at,
            _ => self.buffer.len(),
        }
    }

    /// Skips what means nothing.
    fn pad(&mut self, len: usize) -> Result<(), MultipartError> {
        self.padding_bytes += len;
        self.buffer.advance(len);
        if self.padding_bytes > PADDING_BYTES_MAX { Err(MultipartError::Stray) } else { Ok(()) }
    }
}

/// Reads the lines of a part's head, each of which has its line feed before it.
fn head(lines: &[u8]) -> Result<PartHead, MultipartError> {
    let text = std::str::from_utf8(lines).map_err(|_| MultipartError::MalformedHead)?;
    let (mut disposition, mut content_type) = (None, None);
    for line in text.split("\r\n").skip(1) {
        let (name, value) = line.split_once(':').ok_or(MultipartError::MalformedHead)?;
        let value = value.trim_matches([' ', '\t']);
        if name.is_empty() || name.contains([' ', '\t']) || value.contains(|c: char| c.is_control() && c != '\t') {
            return Err(MultipartError::MalformedHead);
        }
        if name.eq_ignore_ascii_case("content-disposition") {
            if disposition.replace(value).is_some() {
                return Err(MultipartError::MalformedHead);
            }
        } else if name.eq_ignore_ascii_case("content-type") {
            content_type = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("content-transfer-encoding")
            && !["binary", "8bit", "7bit"].iter().any(|plain| value.eq_ignore_ascii_case(plain))
        {
            return Err(MultipartError::Encoded);
        }
    }
    let (kind, parameters) = parameters(disposition.unwrap_or_default()).ok_or(MultipartError::MalformedHead)?;
    let parameter = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let name = parameter("name").filter(|_| kind.eq_ignore_ascii_case("form-data"));
    // RFC 7578, section 4.2, forbids `filename*`; some programs send it all the same, and mean it.
    let exact = parameter("filename*").map(|value| decode_extended(&value).ok_or(MultipartError::MalformedHead));
    let filename = exact.transpose()?.or_else(|| parameter("filename"));
    Ok(PartHead { name: name.ok_or(MultipartError::MalformedHead)?, filename, content_type })
}

/// The boundary that a `Content-Type` says.
fn boundary(content_type: &str) -> Result<String, MultipartError> {
    let (_, parameters) = parameters(content_type).ok_or(MultipartError::NoBoundary)?;
    let boundary = parameters.into_iter().find(|(name, _)| name == "boundary").map(|(_, value)| value);
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    boundary
        .filter(|boundary| (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len()) && boundary.bytes().all(is_allowed))
        .filter(|boundary| !boundary.ends_with(' '))
        .ok_or(MultipartError::NoBoundary)
}

/// A value and its parameters, `VALUE; NAME=TOKEN; NAME="QUOTED"`, names in lower case.
fn parameters(text: &str) -> Option<(&str, Vec<(String, String)>)> {
    let (value, mut rest) = text.split_once(';').unwrap_or((text, ""));
    let mut parameters = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        if rest.is_empty() {
            return Some((value.trim(), parameters));
        }
        let (name, from_value) = rest.split_once('=')?;
        let value = match from_value.strip_prefix('"') {
            Some(quoted) => {
                let (value, behind) = unquote(quoted)?;
                rest = behind;
                value
            }
            None => {
                let end = from_value.find([';', ' ', '\t']).unwrap_or(from_value.len());
                rest = &from_value[end..];
                from_value[..end].to_owned()
            }
        };
        if !(rest.is_empty() || rest.starts_with([';', ' ', '\t'])) {
            return None;
        }
        parameters.push((name.trim().to_ascii_lowercase(), value));
    }
}

/// A quoted string from behind its first quote, and what follows it. A backslash stands for itself unless it is before a
/// quote or another one: some programs send the paths of files so.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => match chars.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push('\\'),
            },
            c => value.push(c),
        }
    }
    None
}

/// `UTF-8'LANGUAGE'PERCENT-ENCODED` (RFC 8187, section 3.2).
fn decode_extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    let decoded = percent_decode_str(encoded).decode_utf8().ok()?;
    charset.eq_ignore_ascii_case("utf-8").then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Parts = Vec<(PartHead, Vec<u8>)>;

    /// Everything in a form that comes in these pieces.
    fn parse(boundary: &str, pieces: &[&[u8]]) -> Result<Parts, MultipartError> {
        let mut parser = Parser::new(boundary);
        let mut pieces = pieces.iter();
        let mut parts: Parts = Vec::new();
        let mut open = false;
        loop {
            match parser.next()? {
                None => match pieces.next() {
                    _ if parser.buffer.len() > HEAD_BYTES_MAX => panic!("little is kept"),
                    Some(piece) => parser.feed(Bytes::copy_from_slice(piece)),
                    None => parser.end()?,
                },
                Some(Event::Part(head)) => {
                    assert!(!std::mem::replace(&mut open, true));
                    parts.push((head, Vec::new()));
                }
                Some(Event::Content(bytes)) => {
                    assert!(open && !bytes.is_empty());
                    parts.last_mut().unwrap().1.extend_from_slice(&bytes);
                }
                Some(Event::PartEnd) => assert!(std::mem::take(&mut open)),
                Some(Event::End) => {
                    assert!(!open && pieces.next().is_none());
                    return Ok(parts);
                }
            }
        }
    }

    fn field(name: &str, filename: Option<&str>) -> PartHead {
        PartHead { name: name.to_owned(), filename: filename.map(str::to_owned), content_type: None }
    }

    const FORM: &str = "before\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--b \t\r\n\
        content-type: text/plain\r\nCONTENT-DISPOSITION: form-data; filename=\"x y.zip\"; name=z\r\n\r\n\r\n--b-\r\n\
        \r\n--b\r\nContent-Disposition: form-data; name=e\r\n\r\n\r\n--b--\r\nbehind";

    fn form_parts() -> Parts {
        let typed = PartHead { content_type: Some("text/plain".to_owned()), ..field("z", Some("x y.zip")) };
        // Not a boundary: something else follows.
        vec![(field("a", None), b"one".to_vec()), (typed, Vec::new()), (field("e", None), Vec::new())]
    }

    #[test]
    fn a_line_that_only_begins_like_a_boundary_is_refused() {
        assert_eq!(parse("b", &[FORM.as_bytes()]), Err(MultipartError::Stray));
        let form = FORM.replace("--b-\r\n\r\n", "");
        assert_eq!(parse("b", &[form.as_bytes()]), Ok(form_parts()));
    }

    #[test]
    fn every_split_gives_the_same_parts() {
        let form = FORM.replace("--b-\r\n\r\n", "");
        let bytes = form.as_bytes();
        for at in 0..=bytes.len() {
            assert_eq!(parse("b", &[&bytes[..at], &bytes[at..]]), Ok(form_parts()), "{at}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(parse("b", &single), Ok(form_parts()));
    }

    #[test]
    fn every_cut_form_is_refused() {
        let form = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\none\r\n--b--";
        assert!(parse("b", &[form.as_bytes()]).is_ok());
        for at in 0..form.len() {
            assert_eq!(parse("b", &[&form.as_bytes()[..at]]), Err(MultipartError::Cut), "{at}");
        }
    }

    #[test]
    fn limits_hold() {
        let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n";
        let parts = |count: usize| format!("{}--b--", part.repeat(count));
        assert_eq!(parse("b", &[parts(PARTS_MAX).as_bytes()]).unwrap().len(), PARTS_MAX);
        assert_eq!(parse("b", &[parts(1000).as_bytes()]), Err(MultipartError::TooManyParts));
        let long = format!("--b\r\nX: {}", "x".repeat(HEAD_BYTES_MAX));
        assert_eq!(parse("b", &[long.as_bytes()]), Err(MultipartError::LongHead));
        let ended = format!("{long}\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--b--");
        assert_eq!(parse("b", &[ended.as_bytes()]), Err(MultipartError::LongHead));
        let spaces = format!("--b{}", " ".repeat(PADDING_BYTES_MAX + 1));
        assert_eq!(parse("b", &[spaces.as_bytes()]), Err(MultipartError::Stray));
        for stray in [format!("{}{}", "x".repeat(2000), parts(1)), format!("{}{}", parts(1), "x".repeat(2000))] {
            assert_eq!(parse("b", &[stray.as_bytes()]), Err(MultipartError::Stray));
        }
    }

    #[test]
    fn heads() {
        let parsed = |lines: &str| head(format!("\r\n{lines}").as_bytes());
        let named = |text: &str| parsed(&format!("Content-Disposition: {text}")).map(|head| (head.name, head.filename));
        let ok = |name: &str, filename: Option<&str>| Ok((name.to_owned(), filename.map(str::to_owned)));
        assert_eq!(named(r#"form-data; name="a;b"; filename="c\"d\\e\f""#), ok("a;b", Some(r#"c"d\e\f"#)));
        assert_eq!(named(r#"FORM-DATA;name=a;filename="";"#), ok("a", Some("")));
        assert_eq!(named("form-data; name=a; filename=x; filename*=utf-8'de'%C3%BC.zip"), ok("a", Some("ü.zip")));
        assert_eq!(named(r#"form-data; name="ü""#), ok("ü", None));
        for wrong in [
            "form-data",
            "attachment; name=a",
            "form-data; name",
            r#"form-data; name="a"#,
            r#"form-data; name="a"b"#,
            "form-data; name=a; filename*=latin1''a",
            "form-data; name=a; filename*=utf-8''%ff",
            "form-data; name=a\r\n",
            "form-data; name=a\r\nContent-Disposition: form-data; name=b",
            "form-data; name=a\r\n folded",
            "form-data; name=a\nb",
            "form-data; name=a\0",
        ] {
            assert_eq!(named(wrong), Err(MultipartError::MalformedHead), "{wrong:?}");
        }
        assert_eq!(head(b"\r\nContent-Disposition: form-data; name=\"\xff\""), Err(MultipartError::MalformedHead));
        let encoded = "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64";
        assert_eq!(parsed(encoded), Err(MultipartError::Encoded));
        assert!(parsed(&encoded.replace("base64", "Binary")).is_ok());
    }

    #[test]
    fn boundaries() {
        let longest = "x".repeat(70);
        for (text, found) in [
            ("multipart/form-data; boundary=abc", "abc"),
            ("multipart/form-data;charset=utf-8;Boundary=\"a b:?\"", "a b:?"),
            (&format!("multipart/form-data; boundary={longest}"), longest.as_str()),
        ] {
            assert_eq!(boundary(text).unwrap(), found);
        }
        let too_long = format!("multipart/form-data; boundary={longest}x");
        for text in
            ["multipart/form-data", "m; boundary=", "m; boundary=\"a \"", "m; boundary=\"a", "m; boundary=ü", &too_long]
        {
            assert_eq!(boundary(text), Err(MultipartError::NoBoundary), "{text}");
        }
    }

    proptest! {
        /// Contents are made of what boundaries are made of, and pieces are cut anywhere.
        #[test]
        fn what_was_sent_comes_out(
            contents in prop::collection::vec("(\r|\n|-|--b|\r\n--|\r\n-|b|x){0,12}", 0..5),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let boundary = "bxbx";
            let mut form = String::new();
            for content in &contents {
                prop_assume!(!format!("\r\n{content}\r\n").contains("\r\n--bxbx"));
                form.push_str("--bxbx\r\nContent-Disposition: form-data; name=f\r\n\r\n");
                form.push_str(content);
                form.push_str("\r\n");
            }
            form.push_str("--bxbx--\r\n");
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(form.len() + 1)).collect();
            cuts.extend([0, form.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &form.as_bytes()[cut[0]..cut[1]]).collect();
            let parts = parse(boundary, &pieces).unwrap();
            let found: Vec<&[u8]> = parts.iter().map(|(_, content)| content.as_slice()).collect();
            let sent: Vec<&[u8]> = contents.iter().map(|content| content.as_bytes()).collect();
            prop_assert_eq!(found, sent);
        }

        #[test]
        fn nothing_panics(pieces in prop::collection::vec("(--b|\r\n|:|;|Content-Disposition|form-data|name=|\"|\\PC){0,20}", 0..6)) {
            let pieces: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
            let _ = parse("b", &pieces);
        }
    }
}
