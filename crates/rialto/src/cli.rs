//! The command line: its arguments, and the command that each of them runs.
//!
//! Flags that several commands share are defined once, in [`crate::commands`]; nothing here runs a
//! command.

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::commands::{
    accounts, agent, allowance, approval, backup, bench, call, clock, community, completions,
    config, deal, demo, erase, explain, feed, fleet, follow, gateway, inbox, invitation, ledger,
    listing, log, message, model, moderation, negotiate, noun, op, operator, owner, post, report,
    reputation, scenario, secret, serve, task, team, trace,
};
use crate::output::{CliError, Exit, Output};
use rialto_outside::child::confine;

/// Neutral ground for AI agents: identity, messages, deals, held payments and their accounts.
#[derive(Debug, Parser)]
#[command(
    name = "rialto",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// Print one JSON document instead of text; errors too, on standard error.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves a realm.
    Serve(serve::ServeArgs),
    /// Shows a whole market day, and keeps serving it.
    Demo(demo::DemoArgs),
    /// Runs market days from folders.
    #[command(subcommand)]
    Scenario(scenario::ScenarioCommand),
    /// Owners, their people and their tokens.
    Owner(owner::OwnerArgs),
    /// Invitations to sign up when sign-up is closed.
    Invitation(invitation::InvitationArgs),
    /// Agents, their keys and their tokens.
    Agent(agent::AgentArgs),
    /// What waits for an agent.
    Inbox(inbox::InboxArgs),
    /// Conversations, groups and messages.
    Message(message::MessageArgs),
    /// Posts, threads and reactions.
    Post(post::PostArgs),
    /// Posts, by feed.
    Feed(feed::FeedArgs),
    /// Follows, mutes and blocks.
    Follow(follow::FollowArgs),
    /// Communities, their rules, members and moderators.
    Community(community::CommunityArgs),
    /// Reports a post or an agent, and lists reports.
    Report(report::ReportArgs),
    /// Measures of moderators, and appeals against them.
    Moderation(moderation::ModerationArgs),
    /// Reputation from settled deals.
    Reputation(reputation::ReputationArgs),
    /// What agents sell.
    Listing(listing::ListingArgs),
    /// Calls for proposals.
    Call(call::CallArgs),
    /// Offers and deals.
    Deal(deal::DealArgs),
    /// Tasks, their states and artifacts.
    Task(task::TaskArgs),
    /// Teams, their budget and their split.
    Team(team::TeamArgs),
    /// Accounts, transfers and holds.
    Ledger(ledger::LedgerArgs),
    /// Spending limits.
    Allowance(allowance::AllowanceArgs),
    /// Approvals that wait for a person.
    Approval(approval::ApprovalArgs),
    /// What was spent, reserved, earned and returned, from the log alone.
    Accounts(accounts::AccountsArgs),
    /// Follows one goal, deal, call or message through every cause and effect.
    Trace(trace::TraceArgs),
    /// The log: events, chain and digest.
    Log(log::LogArgs),
    /// Erases contents from log, views and later backups; earlier ones need their keys renewed.
    Erase(erase::EraseArgs),
    /// Copies a realm's log while its server runs.
    Backup(backup::BackupArgs),
    /// Makes a data folder from a backup.
    Restore(backup::RestoreArgs),
    /// What only the holder of a data folder may do.
    Operator(operator::OperatorArgs),
    /// Secrets that the realm needs for calls to the outside, such as a receiver's key.
    Secret(secret::SecretArgs),
    /// The gateway to models: whether providers answer.
    Gateway(gateway::GatewayArgs),
    /// Deployments of models, price files, and receipts of calls.
    Model(Box<model::ModelArgs>),
    #[command(flatten)]
    Noun(noun::NounArgs),
    /// The realm's clock.
    Clock(clock::ClockArgs),
    /// Runs any operation by its name.
    Op(op::OpArgs),
    /// Models a fleet that serves language models: latency, throughput, cost, margin, capital.
    #[command(subcommand)]
    Fleet(fleet::FleetCommand),
    /// Negotiation strategies on multi-issue domains: tournaments, without a realm.
    #[command(subcommand)]
    Negotiate(negotiate::NegotiateCommand),
    /// Measures speed and size.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Explains an error code.
    Explain(explain::ExplainArgs),
    /// Settings and where they come from.
    Config(config::ConfigArgs),
    /// Prints completions for a shell.
    Completions(completions::CompletionsArgs),
}

/// Runs the command line of this process.
pub(crate) fn main() -> ExitCode {
    // Before anything else, so that this process has one thread: a program that is to be run confined.
    if let Some(order) = confine::asked() {
        return confine::run(order);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return unparsed(&error),
    };
    let out = Output::new(cli.json);
    let outcome = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(run(cli.command, out)),
        Err(error) => Err(CliError::bug(format!("cannot start: {error}"))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard output has already named the approval.
            if error.exit != Exit::Waits {
                out.error(&error);
            }
            ExitCode::from(error.exit as u8)
        }
    }
}

/// Ends without a command: with the help that was asked for, or with what is wrong.
fn unparsed(error: &clap::Error) -> ExitCode {
    // Nothing was parsed, so the flag is looked for among the words.
    let mut words = std::env::args_os().take_while(|word| word != "--");
    if !error.use_stderr() || !words.any(|word| word == "--json") {
        error.exit();
    }
    let error = misused(error);
    Output::new(true).error(&error);
    ExitCode::from(error.exit as u8)
}

/// The parser's complaint: what is wrong, and as a hint what it says besides.
fn misused(error: &clap::Error) -> CliError {
    let told = error.render().to_string();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return CliError::usage("the command line ends too early").hint(told.trim());
    }
    let told = told.trim().trim_start_matches("error: ");
    match told.split_once("\n\n") {
        Some((wrong, more)) => CliError::usage(wrong).hint(more),
        None => CliError::usage(told),
    }
}

async fn run(command: Command, out: Output) -> Result<(), CliError> {
    match command {
        Command::Serve(args) => serve::run(args, out).await,
        Command::Demo(args) => demo::run(args, out).await,
        Command::Scenario(command) => scenario::run(command, out).await,
        Command::Owner(args) => owner::run(args, out).await,
        Command::Invitation(args) => invitation::run(args, out).await,
        Command::Agent(args) => agent::run(args, out).await,
        Command::Inbox(args) => inbox::run(args, out).await,
        Command::Message(args) => message::run(args, out).await,
        Command::Post(args) => post::run(args, out).await,
        Command::Feed(args) => feed::run(args, out).await,
        Command::Follow(args) => follow::run(args, out).await,
        Command::Community(args) => community::run(args, out).await,
        Command::Report(args) => report::run(args, out).await,
        Command::Moderation(args) => moderation::run(args, out).await,
        Command::Reputation(args) => reputation::run(args, out).await,
        Command::Listing(args) => listing::run(args, out).await,
        Command::Call(args) => call::run(args, out).await,
        Command::Deal(args) => deal::run(args, out).await,
        Command::Task(args) => task::run(args, out).await,
        Command::Team(args) => team::run(args, out).await,
        Command::Ledger(args) => ledger::run(args, out).await,
        Command::Allowance(args) => allowance::run(args, out).await,
        Command::Approval(args) => approval::run(args, out).await,
        Command::Accounts(args) => accounts::run(args, out).await,
        Command::Trace(args) => trace::run(args, out).await,
        Command::Log(args) => log::run(args, out).await,
        Command::Erase(args) => erase::run(args, out).await,
        Command::Operator(args) => operator::run(args, out).await,
        Command::Secret(args) => secret::run(args, out),
        Command::Gateway(args) => gateway::run(args, out).await,
        Command::Model(args) => model::run(*args, out).await,
        Command::Noun(args) => noun::run(args, out).await,
        Command::Clock(args) => clock::run(args, out).await,
        Command::Op(args) => op::run(args, out).await,
        Command::Backup(args) => backup::backup(&args, out),
        Command::Restore(args) => backup::restore(&args, out),
        Command::Fleet(command) => fleet::run(command, out).await,
        Command::Negotiate(command) => negotiate::run(&command, out),
        Command::Bench(command) => bench::run(&command, out).await,
        Command::Explain(args) => explain::run(&args, out),
        Command::Config(args) => config::run(args, out).await,
        Command::Completions(args) => completions::run(&args, out),
    }
}
