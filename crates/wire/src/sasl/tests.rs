use super::*;

fn ann() -> Credentials {
    Credentials::password("ann@firma.example", "pw")
}

fn decoded(text: &str) -> String {
    String::from_utf8(BASE64.decode(text).unwrap()).unwrap()
}

/// An exchange with the nonce of a test vector.
fn exchange(mechanism: Mechanism, scram: Scram) -> Exchange {
    Exchange { mechanism, state: State::Scram(Box::new(scram)) }
}

/// The messages of RFC 5802, section 5.
const SHA1_SALT: &str = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096";
const SHA1_PROOF: &str = "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=";
const SHA1_SERVER: &str = "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=";

fn sha1() -> Exchange {
    exchange(Mechanism::ScramSha1, Scram::sha1("user", "pencil", "fyko+d2lbbFgONRv9qkxdawL"))
}

#[test]
fn a5_scram_sha_1_speaks_the_words_of_rfc_5802() {
    let mut exchange = sha1();
    assert_eq!(decoded(&exchange.first().unwrap()), "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    assert_eq!(decoded(&exchange.answer(&BASE64.encode(SHA1_SALT)).unwrap()), SHA1_PROOF);
    assert_eq!(exchange.succeeded(), Err(SaslError::Unproven), "before its proof nothing is believed");
    assert_eq!(exchange.answer(&BASE64.encode(SHA1_SERVER)).unwrap(), "");
    assert_eq!(exchange.succeeded(), Ok(()));
}

#[test]
fn a5_scram_sha_256_speaks_the_words_of_rfc_7677() {
    let scram = Scram::sha256("user", "pencil", "rOprNGfwEbeRWgbNEkqO");
    let mut exchange = exchange(Mechanism::ScramSha256, scram);
    // Without an initial response the first challenge is empty.
    assert_eq!(decoded(&exchange.answer("").unwrap()), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    let salt = format!("r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    assert_eq!(
        decoded(&exchange.answer(&BASE64.encode(salt)).unwrap()),
        format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    );
    let server = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
    assert_eq!(exchange.answer(&BASE64.encode(server)).unwrap(), "");
    assert_eq!(exchange.succeeded(), Ok(()));
}

#[test]
fn a5_a_server_that_does_not_know_the_password_is_refused() {
    let forged = ["v=AAAApqV8S7suAoZWja4dJRkFsKQ=", "v=", "v=?", "", "x=1", "v=rmF9pqV8S7suAoZWja4dJRkFsA=="];
    for server in forged {
        let mut exchange = sha1();
        exchange.first();
        exchange.answer(&BASE64.encode(SHA1_SALT)).unwrap();
        assert_eq!(exchange.answer(&BASE64.encode(server)), Err(SaslError::Unproven), "{server:?}");
        assert_eq!(exchange.succeeded(), Err(SaslError::Unproven), "{server:?}");
    }
    let mut exchange = sha1();
    exchange.first();
    exchange.answer(&BASE64.encode(SHA1_SALT)).unwrap();
    let refused = exchange.answer(&BASE64.encode("e=invalid-proof"));
    assert_eq!(refused, Err(SaslError::Refused("invalid-proof".into())));
}

#[test]
fn a5_a_salt_that_is_not_meant_for_us_or_asks_too_much_is_not_answered() {
    let garbled = [
        "",
        "r=other,s=QSXCR+Q6sek8bf92,i=4096",
        "r=fyko+d2lbbFgONRv9qkxdawL,s=QSXCR+Q6sek8bf92,i=4096",
        "m=must,r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4096",
        "r=fyko+d2lbbFgONRv9qkxdawLx,s=?,i=4096",
        "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=many",
    ];
    for challenge in garbled {
        let mut exchange = sha1();
        exchange.first();
        let answered = exchange.answer(&BASE64.encode(challenge));
        assert_eq!(answered, Err(SaslError::Garbled("SCRAM-SHA-1")), "{challenge:?}");
    }
    for rounds in [0, 1, 4095, 1_000_001] {
        let mut exchange = sha1();
        exchange.first();
        let challenge = format!("r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i={rounds}");
        assert_eq!(exchange.answer(&BASE64.encode(challenge)), Err(SaslError::Rounds(rounds)));
        // What comes after that costs nothing more.
        let asked_again = exchange.answer(&BASE64.encode(SHA1_SALT));
        assert_eq!(asked_again, Err(SaslError::Garbled("SCRAM-SHA-1")));
    }
    let mut exchange = sha1();
    exchange.first();
    assert_eq!(exchange.answer("no base64!"), Err(SaslError::Garbled("SCRAM-SHA-1")));
}

#[test]
fn a5_scram_prepares_names_and_passwords_and_escapes_what_would_end_a_field() {
    let mut scram = Scram::sha256("a=b,c\u{a0}\u{2168}", "I\u{ad}X", "abc");
    assert_eq!(scram.first().unwrap(), "n,,n=a=3Db=2Cc IX,r=abc");
    // What SASLprep forbids is taken as it is.
    assert_eq!(Scram::sha256("a\u{7}", "x", "abc").first().unwrap(), "n,,n=a\u{7},r=abc");
}

#[test]
fn a5_cram_md5_speaks_the_words_of_rfc_2195() {
    let credentials = Credentials::password("tim", "tanstaaftanstaaf");
    let mut exchange = Exchange::begin(Mechanism::CramMd5, &credentials).unwrap();
    assert_eq!(exchange.first(), None);
    let challenge = "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+";
    assert_eq!(decoded(&exchange.answer(challenge).unwrap()), "tim b913a602c7eda7a495b4e6e7334d3890");
    assert_eq!(exchange.succeeded(), Ok(()));
}

#[test]
fn a5_apop_speaks_the_words_of_rfc_1939() {
    let digest = md5_hex("<1896.697170952@dbc.mtview.ca.us>", "tanstaaf");
    assert_eq!(digest, "c4c9334bac560ecc979e58001b3e22fb");
}

#[test]
fn a5_passwords_and_tokens_are_said_as_their_mechanisms_want() {
    let mut plain = Exchange::begin(Mechanism::Plain, &ann()).unwrap();
    assert_eq!(decoded(&plain.first().unwrap()), "\0ann@firma.example\0pw");
    let mut login = Exchange::begin(Mechanism::Login, &ann()).unwrap();
    assert_eq!(login.first(), None);
    let answers: Vec<_> = (0..3).map(|_| decoded(&login.answer("whatever").unwrap())).collect();
    assert_eq!(answers, ["ann@firma.example", "pw", ""]);
    let token = Credentials::Bearer { user: "a,b@firma.example".into(), token: "tok".into() };
    let mut bearer = Exchange::begin(Mechanism::OAuthBearer, &token).unwrap();
    assert_eq!(decoded(&bearer.first().unwrap()), "n,a=a=2Cb@firma.example,\u{1}auth=Bearer tok\u{1}\u{1}");
    assert_eq!(
        decoded(&bearer.answer("eyJzdGF0dXMiOiI0MDEifQ==").unwrap()),
        "\u{1}",
        "an error is answered by ^A"
    );
    let mut xoauth2 = Exchange::begin(Mechanism::XOAuth2, &token).unwrap();
    assert_eq!(decoded(&xoauth2.answer("").unwrap()), "user=a,b@firma.example\u{1}auth=Bearer tok\u{1}\u{1}");
    assert_eq!(xoauth2.answer("eyJzdGF0dXMiOiI0MDEifQ==").unwrap(), "");
    let nul = Credentials::password("ann", "p\0w");
    assert_eq!(Exchange::begin(Mechanism::Plain, &nul).unwrap_err(), SaslError::Nul);
}

#[test]
fn no_two_exchanges_have_one_nonce_and_none_prints_its_secret() {
    assert_ne!(nonce(), nonce());
    let exchange = Exchange::begin(Mechanism::ScramSha256, &Credentials::password("ann", "hunter2")).unwrap();
    assert!(!format!("{exchange:?}").contains("hunter2"));
}
