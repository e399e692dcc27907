//! `/`: what a customer can do here.

use leptos::prelude::*;

use crate::app::{
    shell::{CustomerShell, Headline},
    ui::{Icon, Sign},
    view::{Frame, Support},
};

#[component]
pub fn HomePage(frame: Frame) -> impl IntoView {
    let name = frame.brand.name.clone();
    let support = frame.brand.support_link();
    let (for_the_broken, for_the_lost) = (support.clone(), support);
    view! {
        <CustomerShell frame=frame title="Your licenses" here="/">
            <Headline title=format!("Activate your {name} software")
                lede="With an activation key on this computer, or with a file for a computer that has no network. No account is needed."/>
            <ul class="doors" role="list">
                <Door sign=Sign::Key href="/activate" title="Activate with a key"
                    text="Type the activation key and the computer id the app shows, and take the computer key back to the app."/>
                <Door sign=Sign::File href="/offline" title="Activate a computer without a network"
                    text="Bring the request file the app made, on a stick or a phone. Take the license file back. Releasing a computer works the same way."/>
                <Door sign=Sign::Lens href="/inspect" title="Read a file"
                    text="See what a request or license file says, and whether it is genuine."/>
            </ul>
            <section class="stack" aria-labelledby="help">
                <h2 id="help">"When something is in the way"</h2>
                <div class="help">
                    <Answer question="All seats are taken">
                        <p>"Activate as usual: the page that refuses shows which machines hold the seats. Release one of them in its app, or bring its release file to "<a href="/offline">"the offline page"</a>"."</p>
                    </Answer>
                    <Answer question="The computer broke, was stolen or set up anew">
                        <p>"A computer with the same computer id takes its own seat again and costs nothing. If the id has changed, activate: when no seat is left, the refusal carries a reference that support can act on."</p>
                        <AskSupport support=for_the_broken/>
                    </Answer>
                    <Answer question="The activation key is lost">
                        <p>"It is in the message that came with the order. "<a href="/lost-key">"Have it sent again"</a>", or "<a href="/activate/code">"activate with your e-mail address"</a>" instead."</p>
                        <AskSupport support=for_the_lost/>
                    </Answer>
                    <Answer question="The app cannot reach the network">
                        <p>"A company proxy or firewall may stop it. "<a href="/offline">"Activate with files"</a>" instead: any other computer or phone will do."</p>
                    </Answer>
                </div>
            </section>
        </CustomerShell>
    }
}

#[component]
fn Door(sign: Sign, href: &'static str, title: &'static str, text: &'static str) -> impl IntoView {
    view! {
        <li>
            <Icon sign=sign/>
            <div><h2><a href=href>{title}</a></h2><p>{text}</p></div>
            <Icon sign=Sign::Next/>
        </li>
    }
}

/// A question with its answer folded under it.
#[component]
pub fn Answer(question: &'static str, children: Children) -> impl IntoView {
    view! { <details class="more"><summary>{question}</summary><div class="answer">{children()}</div></details> }
}

/// Where to ask, if the vendor has said so.
#[component]
pub fn AskSupport(#[prop(optional_no_strip)] support: Option<Support>) -> impl IntoView {
    support.map(|to| view! { <p>"Ask "<a href=to.href>{to.words}</a>"."</p> })
}
