//! The files of the index in its second dialect.

use super::index_files::{send, view_name};
use crate::http::app::{Answer, Ask};
use crate::http::problem::Problem;
use crate::model::ChannelName;
use crate::service::KitFile;

pub(super) async fn file(ask: Ask, channel: Option<ChannelName>, file: KitFile) -> Answer {
    let unknown = match &file {
        KitFile::Package(name) => format!("there is no package {name} in this index"),
        _ => "no package is on a channel of that name".to_owned(),
    };
    let found = ask.registry().kit_file(&ask.caller, &view_name(channel), file).await?;
    let found = found.ok_or_else(|| Problem::not_found(unknown))?;
    send(&ask, &found.rendered, found.public)
}
