//! `rialto feed`: posts, by feed.

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::post::{POSTS, shown};
use super::remote::{Paged, Remote, query};
use super::show;
use crate::output::{CliError, Output};

/// Which feed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Which {
    /// Of those the acting agent follows, newest first.
    Following,
    /// What is likely to matter to the acting agent, best first, with reasons under --json.
    Ranked,
    /// Everything, newest first.
    New,
}

impl Which {
    fn name(self) -> &'static str {
        match self {
            Self::Following => "following",
            Self::Ranked => "ranked",
            Self::New => "new",
        }
    }
}

/// What was posted.
#[derive(Debug, Args)]
pub struct FeedArgs {
    /// Which feed.
    #[arg(value_enum, default_value = "new", conflicts_with = "community")]
    which: Which,
    /// Show the posts of a community instead.
    #[arg(long, value_name = "COMMUNITY")]
    community: Option<String>,
    /// Keep printing posts as they are written, edited, deleted or hidden.
    #[arg(long)]
    live: bool,
    /// Show quarantined texts too.
    #[arg(long)]
    quarantined: bool,
    #[command(flatten)]
    paged: Paged,
    #[command(flatten)]
    remote: Remote,
}

/// Prints a feed, or follows it.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: FeedArgs, out: Output) -> Result<(), CliError> {
    let which = match args.community {
        Some(_) => "community",
        None => args.which.name(),
    };
    let mut parameters = vec![
        ("feed", Some(which.to_owned())),
        ("community", args.community.clone()),
        ("quarantined", shown(args.quarantined)),
    ];
    let client = args.remote.client()?;
    if args.live {
        return follow(&client, out, &query("/api/feed/stream", &parameters)).await;
    }
    parameters.extend(args.paged.parameters());
    let answer = client.get(&query("/api/feed", &parameters)).await?;
    show::page(out, &answer, POSTS)
}

async fn follow(client: &rialto_client::Client, out: Output, path: &str) -> Result<(), CliError> {
    let mut events = client.events(path, None).await?;
    while let Some(event) = events.next_event().await? {
        let data: Value =
            serde_json::from_str(&event.data).map_err(|e| CliError::failed(e.to_string()))?;
        if event.kind == "problem" {
            let problem =
                serde_json::from_value(data).map_err(|e| CliError::failed(e.to_string()))?;
            return Err(CliError::from(&problem));
        }
        if out.is_json() {
            out.json_line(&event.data)?;
            continue;
        }
        match event.kind.as_str() {
            "edit" => out.note("edited; the new text:"),
            "retraction" => out.note("deleted or hidden:"),
            _ => {}
        }
        show::row(out, &data, POSTS)?;
    }
    Ok(())
}
