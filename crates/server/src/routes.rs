//! Every route with its door, in one table.
//!
//! A row is a door and a handler; path, method and shapes stand at the handler (`utoipa::path`), so
//! the document at `/api/v1/openapi.json` and what is served are one thing. The order is the order of
//! the document. Handlers are named by what they do (`list_threads`); the document calls the operation
//! `listThreads`.

use crate::App;
use crate::api::{
    cases, changes, distribution, events, filtered, guess, handling, health, labels, mailbox_folders,
    mailbox_rounds, mailboxes,
};
use crate::api::{messages, notifications, oauth, outbox, people, providers, quarantine, records, search};
use crate::api::{replies, templates, webhooks};
use crate::api::{rules, sending, session, settings, suggestions, threads, tokens, views};
use crate::guard::Door::{self, Anybody, May, Open, SignedIn};
use axum::extract::DefaultBodyLimit;
use axum::routing::MethodRouter;
use desk::may::Verb;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Paths;
use utoipa::openapi::schema::Schema;
use utoipa_axum::router::UtoipaMethodRouter;
use utoipa_axum::routes;

/// A row of the table.
pub struct Route {
    /// Who is let in.
    pub door: Door,
    /// Shapes the handler speaks of.
    pub schemas: Vec<(String, RefOr<Schema>)>,
    /// Its path and operation, described.
    pub paths: Paths,
    /// Itself.
    pub handler: MethodRouter<App>,
}

fn route(door: Door, (schemas, paths, handler): UtoipaMethodRouter<App>) -> Route {
    Route { door, schemas, paths, handler }
}

/// The largest message that is taken at a door, as large as one that is fetched.
const MESSAGE_BYTES: usize = 50 << 20;

/// A row whose body is a mail.
fn whole_message(route: Route) -> Route {
    Route { handler: route.handler.layer(DefaultBodyLimit::max(MESSAGE_BYTES)), ..route }
}

/// A row whose body is a file of records.
fn whole_list(route: Route) -> Route {
    let most = desk::record::import::LARGEST_FILE;
    Route { handler: route.handler.layer(DefaultBodyLimit::max(most)), ..route }
}

/// The table.
pub fn table() -> Vec<Route> {
    vec![
        route(Open, routes!(health::get_health)),
        route(Open, routes!(health::get_openapi)),
        // Session and oneself
        route(Anybody, routes!(session::get_session)),
        route(Anybody, routes!(session::sign_in)),
        route(SignedIn, routes!(session::sign_out)),
        route(Anybody, routes!(session::set_up)),
        route(May(Verb::ChangeSettings), routes!(session::change_me)),
        route(May(Verb::ManageTokens), routes!(tokens::list_tokens)),
        route(May(Verb::ManageTokens), routes!(tokens::create_token)),
        route(May(Verb::ManageTokens), routes!(tokens::remove_token)),
        // People
        route(May(Verb::SeePeople), routes!(people::list_users)),
        route(May(Verb::ManagePeople), routes!(people::create_user)),
        route(May(Verb::ManagePeople), routes!(people::change_user)),
        route(May(Verb::SeePeople), routes!(people::list_roles)),
        route(May(Verb::SeePeople), routes!(people::list_teams)),
        route(May(Verb::ManagePeople), routes!(people::create_team)),
        route(May(Verb::SeePeople), routes!(people::list_processes)),
        route(May(Verb::ManagePeople), routes!(people::create_process)),
        route(May(Verb::ManagePeople), routes!(people::create_role)),
        route(May(Verb::ManagePeople), routes!(people::change_role)),
        // Mailboxes
        route(May(Verb::SeeMailboxes), routes!(mailboxes::list_mailboxes)),
        route(May(Verb::AddMailbox), routes!(mailboxes::create_mailbox)),
        route(May(Verb::SeeMailboxes), routes!(mailboxes::test_mailbox)),
        route(May(Verb::SeeMailboxes), routes!(sending::test_sending)),
        route(May(Verb::AddMailbox), routes!(guess::guess_servers)),
        route(May(Verb::SeeMailboxes), routes!(mailboxes::get_mailbox)),
        route(May(Verb::SeeMailboxes), routes!(mailboxes::change_mailbox)),
        route(May(Verb::SeeMailboxes), routes!(mailboxes::fill_in_password)),
        route(May(Verb::SeeMailboxes), routes!(mailboxes::scan_mailbox)),
        route(May(Verb::SeeMailboxes), routes!(mailbox_rounds::resume_mailbox)),
        route(May(Verb::SeeMailboxes), routes!(mailbox_rounds::reconcile_mailbox)),
        route(May(Verb::SeeMailboxes), routes!(mailbox_rounds::get_reconciled)),
        route(May(Verb::SeeMailboxes), routes!(mailboxes::get_ledger)),
        // Signing in at a provider
        route(May(Verb::SeeMailboxes), routes!(providers::list_providers)),
        route(May(Verb::ChangeSystem), routes!(providers::create_provider)),
        route(May(Verb::ChangeSystem), routes!(providers::change_provider)),
        route(May(Verb::ChangeSystem), routes!(providers::remove_provider)),
        route(May(Verb::SeeMailboxes), routes!(oauth::authorize)),
        route(May(Verb::SeeMailboxes), routes!(oauth::ask_device)),
        route(May(Verb::SeeMailboxes), routes!(oauth::get_grant_request)),
        route(Anybody, routes!(oauth::oauth_callback)),
        route(May(Verb::ChangeSystem), routes!(outbox::list_outbox)),
        route(May(Verb::ChangeSystem), routes!(outbox::retry_outbox)),
        route(May(Verb::ChangeSystem), routes!(webhooks::list_webhooks)),
        route(May(Verb::ChangeSystem), routes!(webhooks::create_webhook)),
        route(May(Verb::ChangeSystem), routes!(webhooks::change_webhook)),
        route(May(Verb::ChangeSystem), routes!(webhooks::test_webhook)),
        route(May(Verb::ChangeSystem), routes!(webhooks::remove_webhook)),
        route(May(Verb::ChangeSystem), routes!(webhooks::list_webhook_deliveries)),
        route(May(Verb::ChangeSystem), routes!(webhooks::retry_webhook_delivery)),
        route(May(Verb::ManageQuarantine), routes!(quarantine::list_quarantine)),
        route(May(Verb::ManageQuarantine), routes!(quarantine::get_quarantined_raw)),
        route(May(Verb::ManageQuarantine), routes!(quarantine::retry_quarantined)),
        route(May(Verb::ManageQuarantine), routes!(quarantine::retry_quarantine)),
        route(May(Verb::ReadMail), routes!(mailbox_folders::list_folders)),
        route(May(Verb::ReadMail), routes!(mailbox_folders::list_folder_messages)),
        whole_message(route(May(Verb::ChangeFolders), routes!(mailbox_folders::append_message))),
        route(May(Verb::ChangeFolders), routes!(mailbox_folders::flag_messages)),
        route(May(Verb::ChangeFolders), routes!(mailbox_folders::move_folder_messages)),
        route(May(Verb::ChangeFolders), routes!(mailbox_folders::delete_folder_messages)),
        route(May(Verb::ChangeFolders), routes!(mailbox_folders::move_mailbox_messages)),
        route(May(Verb::ManageMailboxes), routes!(mailboxes::preview_clearing)),
        route(May(Verb::ManageMailboxes), routes!(mailboxes::clear_mailbox)),
        route(May(Verb::SeeMailboxes), routes!(mailboxes::list_senders)),
        route(May(Verb::ChangeSystem), routes!(settings::get_outgoing_mail)),
        route(May(Verb::ChangeSystem), routes!(settings::set_outgoing_mail)),
        route(May(Verb::ChangeSystem), routes!(settings::get_allowed_hosts)),
        route(May(Verb::ChangeSystem), routes!(settings::set_allowed_hosts)),
        // What happens
        route(May(Verb::ReadNotifications), routes!(notifications::list_notifications)),
        route(May(Verb::ReadNotifications), routes!(notifications::read_notifications)),
        route(May(Verb::ReadNotifications), routes!(notifications::get_notification_settings)),
        route(May(Verb::ChangeSettings), routes!(notifications::set_notification_settings)),
        route(May(Verb::FollowChanges), routes!(changes::list_changes)),
        route(May(Verb::FollowChanges), routes!(events::follow_events)),
    ]
    .into_iter()
    .chain(mail())
    .chain(work())
    .chain(sorting())
    .collect()
}

/// Views, threads, messages, search.
fn mail() -> Vec<Route> {
    vec![
        route(May(Verb::ReadMail), routes!(views::list_views)),
        route(May(Verb::ReadMail), routes!(threads::list_threads)),
        route(May(Verb::ReadMail), routes!(threads::get_thread)),
        route(May(Verb::MarkRead), routes!(threads::mark_thread_read)),
        route(May(Verb::MarkRead), routes!(threads::mark_thread_unread)),
        route(May(Verb::NoteOnThread), routes!(threads::add_thread_note)),
        route(May(Verb::HandThread), routes!(handling::hand_thread)),
        route(May(Verb::HandThread), routes!(handling::change_thread)),
        route(May(Verb::LinkThread), routes!(threads::add_link)),
        route(May(Verb::LinkThread), routes!(threads::remove_link)),
        route(May(Verb::ReadMail), routes!(suggestions::list_suggestions)),
        route(May(Verb::LinkThread), routes!(suggestions::accept_suggestion)),
        route(May(Verb::LinkThread), routes!(suggestions::dismiss_suggestion)),
        route(May(Verb::LinkThread), routes!(suggestions::verify_message)),
        route(May(Verb::LinkThread), routes!(suggestions::detach_message)),
        route(May(Verb::SnoozeThread), routes!(threads::snooze_thread)),
        route(May(Verb::CreateCase), routes!(threads::create_case)),
        route(May(Verb::Reply), routes!(replies::propose_reply)),
        route(May(Verb::Reply), routes!(replies::send_reply)),
        route(May(Verb::ReadMail), routes!(replies::list_deliveries)),
        route(May(Verb::Reply), routes!(replies::retry_delivery)),
        route(May(Verb::ReadTemplates), routes!(templates::list_templates)),
        route(May(Verb::ManageTemplates), routes!(templates::create_template)),
        route(May(Verb::ReadTemplates), routes!(templates::get_template)),
        route(May(Verb::ManageTemplates), routes!(templates::change_template)),
        route(May(Verb::ManageTemplates), routes!(templates::remove_template)),
        route(May(Verb::ReadTemplates), routes!(templates::preview_template)),
        route(May(Verb::ManageTemplates), routes!(templates::list_auto_replies)),
        route(May(Verb::ManageTemplates), routes!(templates::set_auto_reply)),
        route(May(Verb::ReadMail), routes!(messages::get_message)),
        route(May(Verb::ReadMail), routes!(messages::get_message_body)),
        route(May(Verb::ReadMail), routes!(messages::get_message_raw)),
        route(May(Verb::ReadMail), routes!(messages::get_attachment)),
        route(May(Verb::ReadMail), routes!(messages::get_inline_picture)),
        route(May(Verb::ReadMail), routes!(search::search_messages)),
    ]
}

/// Records and cases.
fn work() -> Vec<Route> {
    vec![
        route(May(Verb::ReadRecords), routes!(records::list_records)),
        route(May(Verb::CreateRecord), routes!(records::create_record)),
        route(May(Verb::ReadRecords), routes!(records::list_duplicates)),
        route(May(Verb::ChangeRecord), routes!(records::merge_records)),
        route(May(Verb::ChangeRecord), routes!(records::convert_lead)),
        route(May(Verb::ReadRecords), routes!(records::list_stages)),
        route(May(Verb::CreateRecord), routes!(records::list_imports)),
        whole_list(route(May(Verb::CreateRecord), routes!(records::upload_import))),
        route(May(Verb::CreateRecord), routes!(records::get_import)),
        route(May(Verb::CreateRecord), routes!(records::remove_import)),
        route(May(Verb::CreateRecord), routes!(records::preview_import)),
        route(May(Verb::CreateRecord), routes!(records::continue_import)),
        route(May(Verb::CreateRecord), routes!(records::list_refused)),
        route(May(Verb::CreateRecord), routes!(records::get_refused)),
        route(May(Verb::CreateRecord), routes!(records::put_record)),
        route(May(Verb::ReadMail), routes!(records::try_form)),
        route(May(Verb::ReadRecords), routes!(records::get_record)),
        route(May(Verb::ChangeRecord), routes!(records::change_record)),
        route(May(Verb::ReadRecords), routes!(records::get_record_stream)),
        route(May(Verb::NoteOnRecord), routes!(records::add_record_note)),
        route(May(Verb::ReadRecords), routes!(records::list_record_threads)),
        route(May(Verb::FollowRecord), routes!(records::follow_record)),
        route(May(Verb::FollowRecord), routes!(records::unfollow_record)),
        route(May(Verb::ReadRecords), routes!(cases::get_case)),
        route(May(Verb::ChangeCase), routes!(cases::change_case)),
        route(May(Verb::ReadRecords), routes!(cases::get_case_by_number)),
        route(May(Verb::ChangeCase), routes!(cases::merge_case)),
        route(May(Verb::ChangeCase), routes!(cases::split_case)),
        // Who gets cases
        route(May(Verb::SeeMailboxes), routes!(distribution::get_distribution)),
        route(May(Verb::SeeMailboxes), routes!(distribution::change_distribution)),
        route(May(Verb::SeePeople), routes!(distribution::get_team)),
        route(May(Verb::ManagePeople), routes!(distribution::change_team)),
        route(May(Verb::ChangeSettings), routes!(distribution::get_availability)),
        route(May(Verb::ChangeSettings), routes!(distribution::change_availability)),
        route(May(Verb::ChangeCase), routes!(distribution::hand_over_cases)),
    ]
}

/// Rules, filters and labels.
fn sorting() -> Vec<Route> {
    vec![
        route(May(Verb::ManageRules), routes!(rules::list_rules)),
        route(May(Verb::ManageRules), routes!(rules::create_rule)),
        route(May(Verb::ManageRules), routes!(rules::list_rule_fields)),
        route(May(Verb::ManageRules), routes!(rules::order_rules)),
        route(May(Verb::ManageRules), routes!(rules::try_rule)),
        route(May(Verb::ManageRules), routes!(rules::get_rule)),
        route(May(Verb::ManageRules), routes!(rules::change_rule)),
        route(May(Verb::ManageRules), routes!(rules::remove_rule)),
        route(May(Verb::ReadMail), routes!(rules::get_message_trace)),
        route(May(Verb::ReadMail), routes!(filtered::list_filtered)),
        route(May(Verb::ChangeFolders), routes!(filtered::file_filtered)),
        route(May(Verb::SeePeople), routes!(labels::list_labels)),
        route(May(Verb::LabelThread), routes!(labels::create_label)),
        route(May(Verb::ManageLabels), routes!(labels::change_label)),
        route(May(Verb::ManageLabels), routes!(labels::remove_label)),
        route(May(Verb::LabelThread), routes!(labels::put_label)),
        route(May(Verb::LabelThread), routes!(labels::take_label_off)),
    ]
}
