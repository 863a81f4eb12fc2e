//! The stored form of a version scheme, which records of packages and releases hold.

use bincode::{Decode, Encode};

use crate::model::VersionScheme;

#[derive(Encode, Decode)]
pub(super) enum SchemeV1 {
    Semver,
    Calver,
    Debian,
}

impl From<VersionScheme> for SchemeV1 {
    fn from(scheme: VersionScheme) -> Self {
        match scheme {
            VersionScheme::Semver => Self::Semver,
            VersionScheme::Calver => Self::Calver,
            VersionScheme::Debian => Self::Debian,
        }
    }
}

impl From<SchemeV1> for VersionScheme {
    fn from(stored: SchemeV1) -> Self {
        match stored {
            SchemeV1::Semver => Self::Semver,
            SchemeV1::Calver => Self::Calver,
            SchemeV1::Debian => Self::Debian,
        }
    }
}
