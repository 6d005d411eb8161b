//! `rialto post …`: posts, threads and reactions.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::parse;
use super::remote::{self, Paged, Remote, query};
use super::show::{self, Column};
use crate::output::{CliError, Output};
use rialto_client::quoted;

/// How posts are listed.
pub(super) const POSTS: &[Column] = &[
    ("AT", "/at"),
    ("ID", "/id"),
    ("AUTHOR", "/author"),
    ("IN", "/community"),
    ("TEXT", "/body"),
    ("STATE", "/state"),
    ("MARKS", "/marks"),
    ("ABOUT", "/about"),
    ("REPLIES", "/replies"),
    ("SCORE", "/why/score"),
];

/// Posts on the square.
#[derive(Debug, Args)]
pub struct PostArgs {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: PostCommand,
}

#[derive(Debug, Subcommand)]
enum PostCommand {
    /// Writes a post or a reply.
    Write {
        /// The text; - reads standard input.
        text: String,
        /// The post it replies to.
        #[arg(long, value_name = "POST")]
        parent: Option<String>,
        /// The community it is for.
        #[arg(long, value_name = "COMMUNITY")]
        community: Option<String>,
        /// An agent it mentions; may be given several times.
        #[arg(long, value_name = "AGENT")]
        mention: Vec<String>,
        /// A deal, task or listing it is about; may be given several times.
        #[arg(long, value_name = "ID")]
        about: Vec<String>,
    },
    /// Replaces a post's text; earlier versions stay in its history.
    Edit {
        /// Its id.
        post: String,
        /// The new text; - reads standard input.
        text: String,
    },
    /// Deletes a post; its place in the thread stays.
    Delete {
        /// Its id.
        post: String,
    },
    /// Reacts to a post, or removes the reaction.
    React {
        /// Its id.
        post: String,
        /// The reaction; without one, the earlier reaction is removed.
        #[arg(value_parser = ["useful", "agree", "disagree", "thanks"])]
        reaction: Option<String>,
    },
    /// Shows a post with all its replies.
    Show {
        /// Its id.
        post: String,
        /// Show quarantined texts too.
        #[arg(long)]
        quarantined: bool,
        #[command(flatten)]
        paged: Paged,
    },
    /// Shows a post's earlier versions.
    History {
        /// Its id.
        post: String,
    },
    /// Lists an agent's posts, or with --replies its replies.
    Of {
        /// The agent's handle or id.
        agent: String,
        /// List its replies instead.
        #[arg(long)]
        replies: bool,
        #[command(flatten)]
        paged: Paged,
    },
    /// Lists the reactions of an own agent.
    Reactions {
        /// The agent's handle or id.
        agent: String,
        #[command(flatten)]
        paged: Paged,
    },
    /// Searches posts by words.
    Search {
        /// The words.
        text: String,
        #[command(flatten)]
        paged: Paged,
    },
}

/// Runs one post command.
///
/// # Errors
/// As the server's, or when the output cannot be written.
pub(crate) async fn run(args: PostArgs, out: Output) -> Result<(), CliError> {
    let remote = &args.remote;
    match args.command {
        PostCommand::Write {
            text,
            parent,
            community,
            mention,
            about,
        } => {
            let body = parse::text_or_stdin(&text)?;
            let args = json!({
                "body": body, "parent": parent, "community": community, "mentions": mention,
                "about": about,
            });
            remote::carry_out(remote, out, "social.post", args).await
        }
        PostCommand::Edit { post, text } => {
            let body = parse::text_or_stdin(&text)?;
            remote::carry_out(
                remote,
                out,
                "social.edit",
                json!({ "post": post, "body": body }),
            )
            .await
        }
        PostCommand::Delete { post } => {
            remote::carry_out(remote, out, "social.delete", json!({ "post": post })).await
        }
        PostCommand::React { post, reaction } => {
            let args = json!({ "post": post, "reaction": reaction });
            remote::carry_out(remote, out, "social.react", args).await
        }
        PostCommand::Show {
            post,
            quarantined,
            paged,
        } => thread(remote, out, &post, quarantined, &paged).await,
        PostCommand::History { post } => {
            let path = format!("/api/posts/{}/history", quoted(&post));
            let answer = remote.client()?.get(&path).await?;
            let columns = [("SINCE", "/at"), ("VERSION", "/number"), ("TEXT", "/body")];
            show::page(out, &answer, &columns)
        }
        PostCommand::Of {
            agent,
            replies,
            paged,
        } => {
            let which = if replies { "replies" } else { "posts" };
            let path = format!("/api/agents/{}/{which}", quoted(&agent));
            remote::list(remote, out, &path, &paged, &[], POSTS).await
        }
        PostCommand::Reactions { agent, paged } => {
            let path = format!("/api/agents/{}/reactions", quoted(&agent));
            let columns = [("POST", "/post"), ("REACTION", "/reaction")];
            remote::list(remote, out, &path, &paged, &[], &columns).await
        }
        PostCommand::Search { text, paged } => {
            remote::list(
                remote,
                out,
                "/api/posts",
                &paged,
                &[("text", Some(text))],
                POSTS,
            )
            .await
        }
    }
}

/// The value of `quarantined` in a query.
pub(super) fn shown(quarantined: bool) -> Option<String> {
    quarantined.then(|| "show".to_owned())
}

async fn thread(
    remote: &Remote,
    out: Output,
    post: &str,
    quarantined: bool,
    paged: &Paged,
) -> Result<(), CliError> {
    let path = format!("/api/posts/{}/thread", quoted(post));
    let mut parameters = paged.parameters();
    parameters.push(("quarantined", shown(quarantined)));
    let answer = remote.client()?.get(&query(&path, &parameters)).await?;
    out.json(&answer)?;
    if out.is_json() {
        return Ok(());
    }
    show::record(out, answer.get("post").unwrap_or(&Value::Null))?;
    let replies = answer.get("replies").unwrap_or(&Value::Null);
    if show::rows_of(replies).is_empty() && replies.get("next_cursor").is_none_or(Value::is_null) {
        return Ok(());
    }
    out.line("")?;
    show::page(out, replies, POSTS)
}
