//! Which media type a file has by its name, where its sender did not say one.
//!
//! The table is that of `mime_guess`. The few rows here are package formats that it lacks or has as something that a
//! browser or an installer does not expect.

use super::file::MimeType;
use super::name::DisplayName;

/// Endings of package formats with their media types, in lower case.
const PACKAGES: [(&str, &str); 29] = [
    ("7z", "application/x-7z-compressed"),
    ("apk", "application/vnd.android.package-archive"),
    ("appimage", "application/vnd.appimage"),
    ("appinstaller", "application/appinstaller"),
    ("appx", "application/appx"),
    ("appxbundle", "application/appxbundle"),
    ("asc", "application/pgp-signature"),
    ("bz2", "application/x-bzip2"),
    ("crate", "application/gzip"),
    ("deb", "application/vnd.debian.binary-package"),
    ("dmg", "application/x-apple-diskimage"),
    ("exe", "application/vnd.microsoft.portable-executable"),
    ("flatpak", "application/vnd.flatpak"),
    ("gz", "application/gzip"),
    ("iso", "application/vnd.efi.iso"),
    ("log", "text/plain; charset=utf-8"),
    ("md", "text/plain; charset=utf-8"),
    ("msix", "application/msix"),
    ("msixbundle", "application/msixbundle"),
    ("nupkg", "application/zip"),
    ("rpm", "application/x-rpm"),
    ("sig", "application/pgp-signature"),
    ("snap", "application/vnd.snap"),
    ("tgz", "application/gzip"),
    ("txt", "text/plain; charset=utf-8"),
    ("vsix", "application/zip"),
    ("whl", "application/zip"),
    ("xz", "application/x-xz"),
    ("zst", "application/zstd"),
];

/// Media types that say no more than that there are bytes: the defaults of curl and of HTTP libraries.
const EMPTY: [&str; 4] =
    ["application/octet-stream", "application/x-www-form-urlencoded", "binary/octet-stream", "application/binary"];

impl MimeType {
    /// The media type of a file: as its sender says, or by the file's name where the sender says nothing in particular.
    #[must_use]
    pub fn of_file(said: Option<Self>, name: &DisplayName) -> Self {
        match said {
            Some(said) if !EMPTY.iter().any(|empty| said.essence().eq_ignore_ascii_case(empty)) => said,
            _ => Self::by_name(name),
        }
    }

    /// The media type that a name stands for; bytes where its ending is not known.
    #[must_use]
    pub fn by_name(name: &DisplayName) -> Self {
        let ending = name.as_str().rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        let own = PACKAGES.iter().find(|(known, _)| *known == ending).map(|(_, media_type)| *media_type);
        let found = own.or_else(|| mime_guess::from_ext(&ending).first_raw());
        found.and_then(|text| text.parse().ok()).unwrap_or_else(Self::octet_stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that curl sent was stored as `application/x-www-form-urlencoded`, and everything that browsers do not
    /// know as bytes, so that phones and Windows did not offer to install what they downloaded.
    #[test]
    fn names_tell_where_senders_do_not() {
        for (name, expected) in [
            ("app.apk", "application/vnd.android.package-archive"),
            ("App.msix", "application/msix"),
            ("App.appinstaller", "application/appinstaller"),
            ("App.DMG", "application/x-apple-diskimage"),
            ("app-x86_64.AppImage", "application/vnd.appimage"),
            ("a-1.0-py3-none-any.whl", "application/zip"),
            ("a_1.0_amd64.deb", "application/vnd.debian.binary-package"),
            ("a.tar.zst", "application/zstd"),
            ("a.tar.gz", "application/gzip"),
            ("a.zip", "application/zip"),
            ("a.jar", "application/java-archive"),
            ("a.json", "application/json"),
            ("a.wasm", "application/wasm"),
            ("a.pdf", "application/pdf"),
            ("a.png", "image/png"),
            ("noending", "application/octet-stream"),
            ("a.unheardof", "application/octet-stream"),
        ] {
            let name: DisplayName = name.parse().unwrap();
            let types =
                [None, Some("application/octet-stream"), Some("application/x-www-form-urlencoded; charset=utf-8")];
            for said in types.map(|said| said.map(|said| said.parse().unwrap())) {
                assert_eq!(MimeType::of_file(said, &name).as_str(), expected, "{name}");
            }
            let said = MimeType::of_file(Some("application/x-own".parse().unwrap()), &name);
            assert_eq!(said.as_str(), "application/x-own", "a sender who says something is believed");
        }
        assert!(PACKAGES.is_sorted() && PACKAGES.iter().all(|(_, text)| text.parse::<MimeType>().is_ok()));
    }
}
