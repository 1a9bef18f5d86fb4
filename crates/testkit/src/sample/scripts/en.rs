//! Conversations in English.

use super::super::company::Mailbox::{Ben, Carla, Helpdesk, Orders, Press};
use super::{Brings, Script};

pub const SCRIPTS: &[Script] = &[
    Script {
        with: Helpdesk,
        subject: "Cabinet {model}: lock jammed",
        brings: Brings::Photo,
        turns: &[
            "the lock of one {model} cabinet jammed this morning with the calibration tools inside. The key turns halfway and stops. We would rather not drill it open.",
            "please do not force it. Push the left door inwards while turning; the bolt catches on the frame when the floor is uneven. If that fails, our technician can be there on {day}.",
            "pushing the door worked. We have put a shim under the back foot and it locks smoothly now.",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Order {order} arrived incomplete",
        brings: Brings::Nothing,
        turns: &[
            "pallet two of order {order} came without the {count} shelf brackets listed on the delivery note. The wrapping was intact.",
            "thank you for checking so quickly. The brackets were left on our packing table, I am looking at them. They leave with tonight's courier.",
            "received this morning, count is right. Case closed from our side.",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Spare wheels for {model}",
        brings: Brings::Nothing,
        turns: &[
            "two wheels of a {model} trolley have worn flat. Can we buy them separately, and do the new ones have brakes?",
            "yes to both: they come in pairs, with a brake each. Would you like us to add a pair to your next order?",
            "please do, and make it two pairs.",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Safety data sheet for the blue coating",
        brings: Brings::Nothing,
        turns: &[
            "our auditor asks for the safety data sheet of the blue powder coating used on {model}. The link in your catalogue leads to an empty page.",
            "the page is repaired and the sheet is there again, revision four from this spring.",
        ],
    },
    Script {
        with: Orders,
        subject: "Purchase order {order}",
        brings: Brings::Order,
        turns: &[
            "please find attached purchase order {order} for {count} pieces of {model}. Delivery to our Rotterdam warehouse, Incoterms DAP.",
            "order {order} is confirmed. The truck leaves on {day}; customs documents will follow a day earlier.",
            "perfect. Our warehouse closes at four, please tell the driver.",
            "the driver knows and plans to be there by two.",
        ],
    },
    Script {
        with: Orders,
        subject: "Quote request: assembly line workstations",
        brings: Brings::Table,
        turns: &[
            "we are equipping a small assembly line and would like a quote for the items in the table. Height adjustment matters more to us than price.",
            "thank you for the clear list. All of it can be height-adjustable; the total comes to €{amount} net, delivered in five weeks.",
            "five weeks is tight. Could half of the stations come after three?",
            "yes: four stations after three weeks, the rest two weeks later, at no extra cost.",
            "then please take this as our go-ahead; the formal order follows on {day}.",
        ],
    },
    Script {
        with: Orders,
        subject: "Cancel line 3 of {order}",
        brings: Brings::Nothing,
        turns: &[
            "could you take line 3 off order {order}? The customer changed the layout and no longer needs it.",
            "line 3 is removed and the confirmation updated. Nothing else changes.",
        ],
    },
    Script {
        with: Orders,
        subject: "Payment advice {order}",
        brings: Brings::Nothing,
        turns: &[
            "this is to let you know that €{amount} for order {order} left our account today. Please confirm once it arrives.",
            "the payment has arrived in full, thank you.",
        ],
    },
    Script {
        with: Press,
        subject: "Feature on modular workshops",
        brings: Brings::Logo,
        turns: &[
            "I am writing a feature on modular workshops for our spring issue and would love to visit your showroom. Is there a day before {day} that suits you?",
            "you are very welcome. Our spokeswoman Gita Sýkorová can show you around and has kept the morning free.",
            "wonderful, I will be there at nine with a photographer. May we take pictures on the shop floor?",
            "yes, except for the prototype corner. Safety shoes are provided.",
        ],
    },
    Script {
        with: Ben,
        subject: "Following up on the fair",
        brings: Brings::Nothing,
        turns: &[
            "good to meet you at the fair. You mentioned a pilot with {count} workstations at reduced rent; who should I talk to about the terms?",
            "that would be me. I can send a draft on {day}; how long would you like the pilot to run?",
            "six months would show us a summer and a winter peak.",
        ],
    },
    Script {
        with: Carla,
        subject: "Revised delivery plan for fasteners",
        brings: Brings::PriceList,
        turns: &[
            "attached is our revised delivery plan with the new prices for the next quarter. Stainless went up, galvanised came down a little.",
            "thank you. The plan works for us; please bring the March lot forward by a week if you can.",
        ],
    },
];
