//! Mailboxes that sign in with a token: renewed before it is used, saved before it is used, and what a provider
//! does to that.

use crate::post_room::{PostRoom, folder, letters};
use desk::grant::{self, Authority, Form, NoToken, ProviderChange, Tokens};
use desk::mailbox::Boxed;
use desk::may::Actor;
use desk::seal::Secret;
use model::{AfterFiling, GrantId, MailboxId, ProviderId};
use std::sync::Arc;
use store::grants::Grant;
use sync::oauth::Network;
use testkit::oauth::{CLIENT_ID, CLIENT_SECRET, Manner, OAuthServer};
use testkit::scripted::{ImapServer, Mailbox, Manner as ImapManner};

struct Stage {
    room: PostRoom,
    provider: OAuthServer,
    grant: GrantId,
}

/// A grant whose access token is good for `left_s` more seconds.
async fn stage(room: PostRoom, left_s: i64) -> Stage {
    let server = OAuthServer::start().await.unwrap();
    let desk = room.desk().clone();
    let text = |text: &str| Some(text.to_owned());
    let new = ProviderChange {
        name: text("Acme"),
        authorize_url: Some(server.url("authorize")),
        token_url: Some(server.url("token")),
        device_url: None,
        scope: text("mail"),
        client_id: text(CLIENT_ID),
        client_secret: Some(Secret::new(CLIENT_SECRET)),
    };
    let provider = grant::add(&desk, &Actor::machine(), None, new).await.unwrap().id;
    let grant = granted(&room, &server, provider, left_s).await;
    Stage { room, provider: server, grant }
}

async fn granted(room: &PostRoom, server: &OAuthServer, provider: ProviderId, left_s: i64) -> GrantId {
    let (desk, (access, refresh)) = (room.desk(), server.grant());
    let mut tx = desk.db.begin().await.unwrap();
    let id = store::grants::new_grant_id(&mut tx).await.unwrap();
    let seal =
        |column: &str, token: &str| desk.seal.seal(&format!("grants|{id}|{column}"), &Secret::new(token));
    let grant = Grant {
        id,
        provider,
        user: None,
        access_token: seal("access_token", &access),
        refresh_token: Some(seal("refresh_token", &refresh)),
        expires_at: Some(desk.clock.now().plus_s(left_s)),
        refreshed_at: desk.clock.now(),
        error: None,
    };
    store::grants::add_grant(&mut tx, &grant).await.unwrap();
    tx.commit().await.unwrap();
    id
}

impl Stage {
    async fn fresh(&self) -> Result<String, NoToken> {
        grant::fresh(self.room.desk(), &Network, self.grant).await.map(|token| token.reveal().to_owned())
    }

    /// The refresh token as it is stored.
    async fn stored(&self) -> String {
        let desk = self.room.desk();
        let grant = store::grants::grant(&mut &desk.db, self.grant).await.unwrap().unwrap();
        let place = format!("grants|{}|refresh_token", self.grant);
        desk.seal.open(&place, &grant.refresh_token.unwrap()).unwrap().reveal().to_owned()
    }

    async fn error(&self) -> Option<String> {
        store::grants::grant(&mut &self.room.desk().db, self.grant).await.unwrap().unwrap().error
    }
}

/// Asks the real provider, and says what is stored at the moment its answer arrives here; then dies, if it is to.
struct Watched<'a> {
    stage: &'a Stage,
    dies: bool,
    answered: Arc<tokio::sync::Notify>,
}

impl Authority for Watched<'_> {
    fn tokens(&self, url: String, form: Form) -> Boxed<'_, Result<Tokens, grant::AuthorityError>> {
        Box::pin(async move {
            let answer = Network.tokens(url, form).await;
            self.answered.notify_one();
            if self.dies {
                std::future::pending::<()>().await;
            }
            assert_ne!(self.stage.stored().await, self.stage.provider.refresh_token().unwrap());
            answer
        })
    }

    fn device(&self, url: String, form: Form) -> Boxed<'_, Result<grant::Device, grant::AuthorityError>> {
        Network.device(url, form)
    }
}

async fn on_each(story: impl AsyncFn(PostRoom)) {
    story(PostRoom::new().await).await;
    story(PostRoom::on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a5_oauth_a_token_is_renewed_before_it_ends_and_the_new_refresh_token_is_kept() {
    on_each(async |room| {
        let stage = stage(room, 3600).await;
        let first = stage.provider.access_token().unwrap();
        assert_eq!(stage.fresh().await.unwrap(), first);
        assert!(stage.provider.asked().is_empty());
        grant::distrust(stage.room.desk(), stage.grant).await.unwrap();
        let second = stage.fresh().await.unwrap();
        assert_ne!(second, first);
        assert_eq!(stage.stored().await, stage.provider.refresh_token().unwrap());
        assert_eq!(stage.fresh().await.unwrap(), second);
        // A provider that does not rotate: the old one stays.
        stage.provider.rotate(false);
        let before = stage.stored().await;
        grant::distrust(stage.room.desk(), stage.grant).await.unwrap();
        stage.fresh().await.unwrap();
        assert_eq!(stage.stored().await, before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t41_the_new_refresh_token_is_committed_before_the_access_token_is_used() {
    on_each(async |room| {
        let stage = stage(room, 60).await;
        let watched = Watched { stage: &stage, dies: false, answered: Arc::default() };
        let token = grant::fresh(stage.room.desk(), &watched, stage.grant).await.unwrap();
        // Whoever has the token finds the refresh token stored.
        assert_eq!(Some(token.reveal().to_owned()), stage.provider.access_token());
        assert_eq!(stage.stored().await, stage.provider.refresh_token().unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t41_a_kill_between_renewal_and_save_tries_the_old_refresh_token_and_says_so_if_it_is_gone() {
    on_each(async |room| {
        let stage = stage(room, 60).await;
        let watched = Watched { stage: &stage, dies: true, answered: Arc::default() };
        let answered = Arc::clone(&watched.answered);
        tokio::select! {
            _ = grant::fresh(stage.room.desk(), &watched, stage.grant) => panic!("it dies"),
            () = answered.notified() => {}
        }
        let old = stage.stored().await;
        assert_ne!(Some(&old), stage.provider.refresh_token().as_ref());
        // Most providers take the old one.
        stage.provider.keep_old_refresh_tokens(true);
        let token = stage.fresh().await.unwrap();
        assert_eq!(Some(token), stage.provider.access_token());
        assert_eq!(stage.provider.asked().last().unwrap()["refresh_token"], old);
        assert_eq!(stage.error().await, None);

        // One that does not: it is said, and nothing else is lost.
        stage.provider.keep_old_refresh_tokens(false);
        grant::distrust(stage.room.desk(), stage.grant).await.unwrap();
        let answered = Arc::clone(&watched.answered);
        tokio::select! {
            _ = grant::fresh(stage.room.desk(), &watched, stage.grant) => panic!("it dies"),
            () = answered.notified() => {}
        }
        assert!(matches!(stage.fresh().await, Err(NoToken::Refused { code, .. }) if code == "invalid_grant"));
        assert_eq!(stage.error().await.as_deref(), Some("invalid_grant"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t41_many_connections_at_once_renew_once() {
    on_each(async |room| {
        let stage = stage(room, 60).await;
        let tokens = futures_util::future::join_all((0..8).map(|_| stage.fresh())).await;
        let tokens: Vec<_> = tokens.into_iter().map(Result::unwrap).collect();
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
        assert_eq!(stage.provider.asked().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t41_a_provider_that_is_busy_or_silent_costs_no_grant() {
    on_each(async |room| {
        let stage = stage(room, 200).await;
        let first = stage.provider.access_token().unwrap();
        for manner in [
            Manner::Says(429, "{}".into()),
            Manner::Says(503, "busy".into()),
            Manner::Says(500, "<html>".into()),
            Manner::Says(400, "{\"error\":\"temporarily_unavailable\"}".into()),
        ] {
            stage.provider.behave(manner);
            assert_eq!(stage.fresh().await.unwrap(), first, "what has not ended yet is used");
        }
        stage.provider.behave(Manner::DoneThenClosed);
        assert_eq!(stage.fresh().await.unwrap(), first);
        assert_eq!(stage.error().await, None);
        // Once the provider is back, and takes the old token again, all is well.
        stage.provider.behave(Manner::Sound);
        stage.provider.keep_old_refresh_tokens(true);
        assert_eq!(Some(stage.fresh().await.unwrap()), stage.provider.access_token());
        // When the token has ended, there is none, and that is no refusal.
        stage.provider.behave(Manner::Says(429, "{}".into()));
        grant::distrust(stage.room.desk(), stage.grant).await.unwrap();
        let late = stage.fresh().await.unwrap_err();
        assert!(matches!(&late, NoToken::Later { provider, .. } if provider == "Acme"), "{late:?}");
        assert_eq!(stage.error().await, None);
    })
    .await;
}

/// The mailbox of an IMAP server that lets in the token `token`, with `grant`.
async fn connect(stage: &Stage, server: &ImapServer) -> MailboxId {
    let place = crate::post_room::Server {
        host: "127.0.0.1",
        port: server.address.port(),
        user: "ann",
        password: "unused",
    };
    let id = stage.room.connect(place, vec![folder("INBOX", AfterFiling::Leave)]).await;
    stage
        .room
        .run(&format!("UPDATE mailboxes SET grant_id = {}, secret = NULL WHERE id = {id}", stage.grant))
        .await;
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a5_oauth_a_mailbox_is_read_with_a_renewed_token_by_xoauth2_and_oauthbearer() {
    for mechanism in ["XOAUTH2", "OAUTHBEARER"] {
        let stage = stage(PostRoom::new().await, 60).await;
        let capabilities = format!("IMAP4rev1 SASL-IR AUTH={mechanism} LOGINDISABLED UIDPLUS");
        let manner = ImapManner { capabilities, ..ImapManner::default() };
        let server = ImapServer::start(Mailbox::with_inbox(letters(0..3)), manner, Vec::new()).await.unwrap();
        let id = connect(&stage, &server).await;
        assert_eq!(stage.room.round(id).await, (3, 3, 0, 0));
        assert_eq!(stage.provider.asked().len(), 1);
        assert_eq!(stage.provider.asked()[0]["grant_type"], "refresh_token");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a5_oauth_a_revoked_grant_is_told_as_such_and_nothing_is_asked_of_the_mail_server() {
    let stage = stage(PostRoom::new().await, 60).await;
    let server = ImapServer::start(Mailbox::with_inbox(letters(0..1)), ImapManner::default(), Vec::new())
        .await
        .unwrap();
    let id = connect(&stage, &server).await;
    stage.provider.revoke();
    let error = stage.room.try_round(id).await.unwrap_err();
    let trouble = error.trouble();
    assert_eq!((trouble.code.as_str(), trouble.stage.as_str()), ("grant_refused", "login"));
    assert_eq!(trouble.params["said"], "invalid_grant");
    assert!(error.is_lasting());
    assert!(server.recording(0).is_none());
}

#[tokio::test]
async fn t09_a_refresh_token_is_not_sent_to_a_place_that_was_named_after_it_was_granted() {
    on_each(async |room| {
        let stage = stage(room, 3600).await;
        let (desk, other) = (stage.room.desk(), OAuthServer::start().await.unwrap());
        let provider = store::grants::grant(&mut &desk.db, stage.grant).await.unwrap().unwrap().provider;
        let elsewhere = ProviderChange { token_url: Some(other.url("token")), ..ProviderChange::default() };
        grant::change(desk, &Actor::machine(), provider, elsewhere).await.unwrap();
        assert_eq!(stage.fresh().await.unwrap(), stage.provider.access_token().unwrap());
        grant::distrust(desk, stage.grant).await.unwrap();
        let mut tx = desk.db.begin().await.unwrap();
        tx.execute("UPDATE grants SET expires_at = 1", store::params![]).await.unwrap();
        tx.commit().await.unwrap();
        assert!(matches!(stage.fresh().await, Err(NoToken::Refused { .. })));
        assert!(other.asked().is_empty(), "{:?}", other.asked());
    })
    .await;
}
