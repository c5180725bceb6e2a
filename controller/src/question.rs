//! The questions of gates, carried out: what a plan asks is asked of its provider, query by query,
//! or sent to it as a hook.
//! Makes no choice and judges no answer.

use jiff::Timestamp;
use plan::Ask;
use plan::observed::{Answered, Past};
use runtime::clock;
use tokio::time::Instant;

use crate::provider::Question;
use crate::reconcile::Context;
use crate::template;

/// What was asked for of the past is given up after so long: the present is waiting.
const PAST: std::time::Duration = std::time::Duration::from_secs(5);

/// Asks what a gate of a Rollout in `namespace` wants to know, both queries at once.
pub async fn ask(context: &Context, namespace: &str, ask: Ask) -> Answered {
    if let Some(wanted) = &ask.template {
        let read = template::read(&context.cluster.client(), namespace, wanted).await;
        return Answered::of_template(ask, read);
    }
    let started = clock::instant();
    if let Some(call) = &ask.hook {
        let heard = context.hooks.send(&ask.provider, call, ask.patience).await;
        context.metrics.sent(clock::instant() - started, heard.is_ok());
        return Answered::of_hook(ask, heard);
    }
    let providers = &context.providers;
    let at = ask.both.as_ref().map(|both| both.until);
    let requests = async {
        match &ask.requests {
            Some(query) => Some(providers.ask(&ask.provider, question(&ask, query, at)).await),
            None => None,
        }
    };
    let value = providers.ask(&ask.provider, question(&ask, &ask.query, at));
    let (asked, requests) = tokio::join!(value, requests);
    context.metrics.asked(clock::instant() - started, asked.is_ok());
    let past = if asked.is_ok() { past(context, &ask, started + PAST).await } else { Vec::new() };
    Answered { requests, past, ..Answered::new(ask, asked) }
}

fn question<'a>(ask: &Ask, query: &'a str, at: Option<Timestamp>) -> Question<'a> {
    Question { query, window: ask.window, patience: ask.patience, at }
}

/// One moment after the other, the last first, until one cannot be had or it takes too long.
async fn past(context: &Context, ask: &Ask, until: Instant) -> Vec<Past> {
    let (Some(both), Some(query)) = (&ask.both, &ask.requests) else { return Vec::new() };
    let providers = &context.providers;
    let mut all = Vec::new();
    for at in both.past.iter().rev().copied() {
        let (asked, requests) = tokio::join!(
            providers.ask(&ask.provider, question(ask, &ask.query, Some(at))),
            providers.ask(&ask.provider, question(ask, query, Some(at))),
        );
        if asked.is_err() || requests.is_err() || clock::instant() > until {
            break;
        }
        all.push(Past { at, asked, requests });
    }
    all.reverse();
    all
}
