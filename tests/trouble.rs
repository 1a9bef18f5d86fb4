//! What goes wrong is named, with what to do, and touches nothing else.

use crate::on_both_programs;
use testkit::dovecot::Dovecot;

on_both_programs! {
    fn one_wrong_mailbox_is_named_and_the_others_are_read(program) {
        let dovecot = Dovecot::start();
        let mail = b"Message-ID: <1@firma.example>\r\nFrom: ann@firma.example\r\nSubject: Order\r\n\r\nTen.\r\n";
        dovecot.deliver("orders", "INBOX", mail).unwrap();
        dovecot.deliver("press", "INBOX", mail).unwrap();
        program.connect(&dovecot, "press", "press@acme.example", &["--folder", "Nowhere", "--leave"]);
        program.connect(&dovecot, "orders", "orders@acme.example", &[]);
        let wrong = program.file("wrong", b"not this one\n");
        for (address, url) in [
            ("password@acme.example", format!("imap://helpdesk@127.0.0.1:{}", dovecot.imap_port)),
            ("port@acme.example", "imap://helpdesk@127.0.0.1:1".to_owned()),
        ] {
            program.run(&["mailbox", "add", "--group", "--address", address, "--imap", &url, "--tls", "none", "--password-file", &wrong, "--process", "Helpdesk", "--team", "Support", "--active"]);
        }
        let certificate = format!("imaps://helpdesk@127.0.0.1:{}", dovecot.imaps_port);
        program.run(&["mailbox", "add", "--group", "--address", "tls@acme.example", "--imap", &certificate, "--password-file", &wrong, "--process", "Helpdesk", "--team", "Support", "--active"]);

        let output = program.try_run(&["scan"]);
        assert!(!output.status.success(), "a mailbox that was not read to its end is no success");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(out.contains("orders@acme.example INBOX: 1 seen, 1 filed"), "{out}");
        let said = |address: &str| err.lines().find(|line| line.contains(address)).unwrap_or_default().to_lowercase();
        assert!(said("password@").contains("password"), "{err}");
        assert!(said("port@").contains("port 1"), "{err}");
        assert!(said("tls@").contains("certificate"), "{err}");
        assert!(said("press@").contains("folder"), "{err}");
    }
}

#[test]
fn wrong_configuration_stops_the_start_with_the_key_and_the_reason() {
    let program = crate::program::Program::on_sqlite();
    let output = program.command(&["ledger"]).env("LETTERCASE_LISTNE", "x").output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("LETTERCASE_LISTNE"));
    let output = program.command(&["ledger", "--database", "mysql://x"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("`database`"));
}
