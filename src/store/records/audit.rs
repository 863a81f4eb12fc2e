//! The stored form of an entry of the audit trail.

use bincode::{Decode, Encode};

use super::{Record, parse, time};
use crate::model::audit::{Actor, AuditText};
use crate::model::{AuditEntry, PackageKey};
use crate::store::codec::{self, CodecError};

#[derive(Encode, Decode)]
enum Stored {
    V1(V1),
}

#[derive(Encode, Decode)]
struct V1 {
    at: i64,
    actor_kind: String,
    actor: Option<String>,
    token_name: Option<String>,
    address: Option<String>,
    action: String,
    package: Option<(u64, String)>,
    subject: Option<String>,
    detail: Option<String>,
}

impl Record for AuditEntry {
    const NAME: &'static str = "audit entry";
    type Key = u64;

    fn to_bytes(&self) -> Result<Vec<u8>, CodecError> {
        let text = |text: &Option<AuditText>| text.as_ref().map(|text| text.as_str().to_owned());
        let stored = Stored::V1(V1 {
            at: self.at.as_micros(),
            actor_kind: self.actor.kind.as_str().to_owned(),
            actor: text(&self.actor.name),
            token_name: text(&self.actor.token_name),
            address: text(&self.address),
            action: self.action.as_str().to_owned(),
            package: self.package.as_ref().map(|(id, name)| (id.0, name.to_string())),
            subject: text(&self.subject),
            detail: text(&self.detail),
        });
        codec::encode(Self::NAME, &stored)
    }

    fn from_bytes(id: u64, bytes: &[u8]) -> Result<Self, CodecError> {
        let Stored::V1(v1) = codec::decode(Self::NAME, bytes)?;
        let text = |text: Option<String>| text.map(|text| AuditText::new(&text));
        let package = match v1.package {
            Some((id, name)) => Some((PackageKey(id), parse(Self::NAME, &name)?)),
            None => None,
        };
        Ok(Self {
            id,
            at: time(v1.at),
            actor: Actor {
                kind: parse(Self::NAME, &v1.actor_kind)?,
                name: text(v1.actor),
                token_name: text(v1.token_name),
            },
            address: text(v1.address),
            action: parse(Self::NAME, &v1.action)?,
            package,
            subject: text(v1.subject),
            detail: text(v1.detail),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::assert_pinned;
    use super::*;
    use crate::model::AuditAction;
    use crate::model::audit::ActorKind;

    #[test]
    fn bytes_are_pinned() {
        let entry = AuditEntry {
            id: 1,
            at: time(2),
            actor: Actor {
                kind: ActorKind::ApiToken,
                name: Some(AuditText::new("omni")),
                token_name: Some(AuditText::new("ci")),
            },
            address: Some(AuditText::new("192.0.2.1")),
            action: AuditAction::FileAdded,
            package: Some((PackageKey(3), "omni.kit".parse().unwrap())),
            subject: Some(AuditText::new("stable/1.0.0/any/a.zip")),
            detail: None,
        };
        assert_pinned(
            entry.id,
            &entry,
            "0004096170695f746f6b656e01046f6d6e690102636901093139322e302e322e310a66696c655f61646465640103086f6d6e692e6b69740116737461626c652f312e302e302f616e792f612e7a697000",
        );
    }
}
