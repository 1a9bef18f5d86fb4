use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn set(text: &str) -> UidSet {
    text.parse().unwrap()
}

#[test]
fn prints_and_parses_the_shortest_form() {
    assert_eq!(set("5,1:3,4,9:7").to_string(), "1:5,7:9");
    assert_eq!(set("").to_string(), "");
    assert_eq!(set("4294967295").last(), Some(u32::MAX));
    assert_eq!(set("1:4294967295").len(), u64::from(u32::MAX));
    for bad in ["0", "x", "1:", "*", "1:*", "-1", "+1", "4294967296", "1 2"] {
        assert!(bad.parse::<UidSet>().is_err(), "{bad}");
    }
}

#[test]
fn zero_is_never_a_uid() {
    let mut s = UidSet::new();
    assert!(!s.insert(0));
    s.insert_range(0, 2);
    assert_eq!(s.to_string(), "1:2");
    assert!([0].into_iter().collect::<UidSet>().is_empty());
}

#[test]
fn takes_the_first_ones_off() {
    let mut s = set("1:3,10,20:4294967295");
    assert_eq!(s.take_first(2).to_string(), "1:2");
    assert_eq!(s.take_first(3).to_string(), "3,10,20");
    assert_eq!(s.to_string(), "21:4294967295");
    let mut s = set("7");
    assert_eq!((s.take_first(200).to_string(), s.is_empty()), ("7".into(), true));
}

proptest! {
    #[test]
    fn behaves_like_a_set_of_numbers(a in prop::collection::vec(1u32..60, 0..40), b in prop::collection::vec(1u32..60, 0..40), out in prop::collection::vec(1u32..60, 0..20)) {
        let (left, right): (BTreeSet<_>, BTreeSet<_>) = (a.iter().copied().collect(), b.iter().copied().collect());
        let mut ours = UidSet::new();
        for &uid in &a { ours.insert(uid); }
        prop_assert_eq!(&ours, &a.iter().copied().collect::<UidSet>());
        let other: UidSet = b.iter().copied().collect();
        prop_assert!(ours.difference(&other).iter().eq(left.difference(&right).copied()));
        prop_assert!(ours.union(&other).iter().eq(left.union(&right).copied()));
        prop_assert!(ours.intersection(&other).iter().eq(left.intersection(&right).copied()));
        prop_assert_eq!(ours.len() as usize, left.len());
        prop_assert_eq!(&set(&ours.to_string()), &ours);
        let mut rest = ours.clone();
        let mut expected = left.clone();
        for uid in out { prop_assert_eq!(rest.remove(uid), expected.remove(&uid)); }
        prop_assert!(rest.iter().eq(expected.iter().copied()));
        prop_assert!((1..60).all(|uid| rest.contains(uid) == expected.contains(&uid)));
    }
}
