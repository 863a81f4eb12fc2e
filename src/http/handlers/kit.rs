//! The files of the index in its second dialect.

use super::index_files::{send, view_name};
use crate::http::app::{Answer, Ask};
use crate::model::ChannelName;
use crate::service::KitFile;

pub(super) async fn file(ask: Ask, channel: Option<ChannelName>, file: KitFile) -> Answer {
    let found = ask.registry().kit_file(&ask.caller, &view_name(channel), file).await?;
    send(&ask, &found.rendered, found.public)
}
