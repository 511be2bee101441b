//! `heqi events`: what happened on the ledger, one line a transaction, from a cursor on.

use std::io::Write;

use base_types::{
    Height,
    fault::{Code, Fault},
};
use clap::Args;
use ledger_rpc::{Happening, Subscription};
use ledger_vm::Address;
use portal_api::views::HappeningView;

use super::{Local, Show};
use crate::wiring::portal::happening_view;

#[derive(Args)]
pub struct EventsArgs {
    /// The last transaction known, as its line begins: height and number in the block. Only later ones are shown.
    #[arg(long, value_name = "HEIGHT:NUMBER", default_value = "0:0", value_parser = cursor)]
    after: (Height, u32),
    /// Only transactions in which this contract announced something.
    #[arg(long, value_name = "ADDRESS")]
    contract: Option<Address>,
    /// Go on with what happens later, until Ctrl-C.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    local: Local,
}

fn cursor(text: &str) -> Result<(Height, u32), String> {
    let parts = text.split_once(':').and_then(|(height, number)| Some((height.parse().ok()?, number.parse().ok()?)));
    parts.ok_or_else(|| "a cursor is HEIGHT:NUMBER".to_owned())
}

/// Shows happenings; with `--json` each is one JSON value on its own line.
pub fn run(args: &EventsArgs, show: Show) -> Result<(), Fault> {
    let subscription =
        Subscription { after: args.after, follow: args.follow, contract: args.contract.map(|contract| contract.0) };
    args.local.ledger()?.follow(subscription, |happening: &Happening| {
        let happening = happening_view(happening)?;
        let line = if show.json {
            let json = serde_json::to_string(&happening);
            json.map_err(|why| Fault::new(Code::Internal, "show events", why.to_string()))?
        } else {
            words(&happening, show)
        };
        // A closed pipe is the reader's wish to end.
        Ok(writeln!(std::io::stdout(), "{line}").is_ok())
    })
}

fn words(happening: &HappeningView, show: Show) -> String {
    let HappeningView { height, index, transaction, refusal, gas, events } = happening;
    let outcome = match refusal {
        Some(why) => format!("{}: {why}", show.pick("被拒绝", "refused")),
        None => format!("{} {gas} gas", show.pick("成功", "done")),
    };
    let mut line = format!("{height}:{index}  {transaction}  {outcome}");
    for event in events {
        line.push_str(&format!("\n    {} [{}] 0x{}", event.contract, event.topics.join(", "), event.data));
    }
    line
}

#[cfg(test)]
mod tests {
    use portal_api::views::EventView;

    use super::*;

    #[test]
    fn a_lines_beginning_is_the_cursor_that_follows_it() {
        let event = EventView { contract: "0x01".into(), topics: vec!["aa".into(), "bb".into()], data: "cc".into() };
        let mut happening =
            HappeningView { height: 7, index: 2, transaction: "dd".into(), refusal: None, gas: 5, events: vec![event] };
        let show = Show { json: false, zh: false };
        let line = words(&happening, show);
        assert_eq!(line, "7:2  dd  done 5 gas\n    0x01 [aa, bb] 0xcc");
        assert_eq!(line.split_whitespace().next().map(cursor), Some(Ok((7, 2))));
        happening.refusal = Some("no funds".into());
        assert!(words(&happening, show).starts_with("7:2  dd  refused: no funds"));
        for bad in ["", "7", "7:", ":2", "7:-1", "a:b"] {
            assert!(cursor(bad).is_err(), "{bad}");
        }
    }
}
