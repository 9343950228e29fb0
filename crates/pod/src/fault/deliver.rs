use std::time::SystemTime;

use http::{HeaderValue, Response, StatusCode, header};
use tokio::time::sleep;

use super::{Layer, Line, ResponseBody};
use crate::{Fault, reply::Reply};

/// What goes wrong with one answer. Empty for a regular one.
#[derive(Debug)]
pub(crate) struct Script {
    pub(super) answer: Option<Fault>,
    pub(super) wait: Option<Fault>,
    pub(super) delivery: Option<Fault>,
}

/// Nothing is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request is left without an answer")]
pub(crate) struct Unanswered;

impl Script {
    /// All that goes wrong.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        [&self.answer, &self.wait, &self.delivery]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// Whether every token ends before the answer.
    pub(crate) fn expires_tokens(&self) -> bool {
        self.answer == Some(Fault::ExpireTokens)
    }

    /// The answer that takes the place of the regular one at this time, if one does.
    pub(crate) fn answer(&self, now: SystemTime) -> Option<Reply> {
        match self.answer.as_ref()? {
            Fault::Answer(answer) => Some(answer.reply(now)),
            Fault::Throttle { .. } => Some(throttled()),
            _ => None,
        }
    }

    /// Puts the answer into HTTP.
    pub(crate) async fn deliver(
        self,
        mut reply: Reply,
        line: &Line,
    ) -> Result<Response<ResponseBody>, Unanswered> {
        if let Some(Fault::Delay(time)) = self.wait {
            sleep(time).await;
        }
        if self.delivery == Some(Fault::WithoutToken) {
            remove_token(&mut reply);
        }
        let body = ResponseBody::new(reply.body.clone());
        let body = match self.delivery {
            Some(Fault::NoAnswer) => return Err(Unanswered),
            Some(Fault::CutAnswer { end, after }) => {
                line.cut_after(Layer::Http, end, after);
                body
            }
            Some(Fault::Truncate { after }) => body.truncated(after),
            Some(Fault::Trickle { pause }) => body.trickling(pause),
            Some(Fault::Oversize { octets }) => body.padded(octets),
            Some(Fault::Endless) => body.endless(),
            Some(Fault::HangUp) => {
                line.hang_up();
                body
            }
            _ => body,
        };
        Ok(reply.into_response(body))
    }
}

fn throttled() -> Reply {
    // A bucket that fills in a second has something again by then.
    Reply::error(StatusCode::TOO_MANY_REQUESTS, "Too many requests.")
        .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn remove_token(reply: &mut Reply) {
    if let Ok(mut json) = serde_json::from_slice::<serde_json::Value>(&reply.body)
        && let Some(members) = json.as_object_mut()
        && members.remove("token").is_some()
    {
        reply.body = json.to_string().into();
    }
}
