//! A collector is told what a node's chain does: every height is a span, and the steps to its block stand below it.

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
    trace::v1::Span,
};
use support::{Consortium, story::SOON, text, until};
use tokio::runtime::{Builder, Runtime};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

const PEOPLE: [&[&str]; 4] = [&["admin=administrator"]; 4];

/// What leads to a block, beside its execution.
const STEPS: [&str; 3] = ["build", "check", "decide"];

/// Keeps every span that it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes = request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.0.lock().expect("whole").extend(scopes.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Listens on a free port, as long as the runtime is there.
    fn listen(&self) -> (Runtime, SocketAddr) {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let entered = runtime.enter();
        let incoming = TcpIncoming::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let address = incoming.local_addr().expect("an address");
        let service = TraceServiceServer::new(self.clone());
        tokio::spawn(async move { Server::builder().serve_with_incoming(service, incoming).await });
        drop(entered);
        (runtime, address)
    }

    fn spans(&self) -> Vec<Span> {
        self.0.lock().expect("whole").clone()
    }
}

fn number(span: &Span, name: &str) -> Option<i64> {
    let found = span.attributes.iter().find(|pair| pair.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::IntValue(number) => Some(*number),
        _ => None,
    }
}

/// The heights that have a span of this name.
fn heights(spans: &[Span], name: &str) -> BTreeSet<Option<i64>> {
    spans.iter().filter(|span| span.name == name).map(|span| number(span, "height")).collect()
}

/// Checks that the span above a step is that of the step's height, and returns it.
#[track_caller]
fn height_above<'a>(spans: &BTreeMap<&[u8], &'a Span>, step: &Span) -> &'a Span {
    let above = spans.get(&step.parent_span_id[..]).copied();
    let above = above.unwrap_or_else(|| panic!("{} of {:?} stands alone", step.name, number(step, "height")));
    assert_eq!((above.name.as_str(), &above.trace_id), ("height", &step.trace_id));
    assert!(number(step, "height").is_some_and(|height| height > 0), "{step:?}");
    assert_eq!(number(above, "height"), number(step, "height"));
    above
}

#[test]
fn a_collector_is_told_every_height_with_its_steps() {
    let collector = Collector::default();
    let (_runtime, address) = collector.listen();
    let mut four = Consortium::found_with(PEOPLE);
    let file = four.dir("audit").join("node.toml");
    let config = fs::read_to_string(&file).expect("node.toml");
    fs::write(&file, format!("traces = \"http://{address}\"\n{config}")).expect("written");
    let mut command = four.node_command("audit");
    let audit = four.spawn("audit", command.env("OTEL_BSP_SCHEDULE_DELAY", "50"));
    ["civil", "health", "statistics"].into_iter().for_each(|org| four.start(org));
    four.keep("audit", audit);
    until("the node has proposed a block, checked others and executed them", SOON, || {
        // Makes a block: a change is proposed that nobody votes for, or one is under way.
        let told = four.sign("civil/admin", &["chain", "propose", "--interval", "150"]);
        assert!(told.code == 0 || text(&told.value, "number") == "HQ-5005", "{told:?}");
        let spans = collector.spans();
        let stored = heights(&spans, "execute");
        let full = spans.iter().any(|span| span.name == "execute" && number(span, "transactions") > Some(0));
        (full && STEPS.iter().all(|name| !heights(&spans, name).is_disjoint(&stored))).then_some(())
    });
    // What is left is sent at the end.
    four.signal("audit", "TERM");
    until("the node ends when it is asked to", SOON, || (!four.node("audit").runs()).then_some(()));

    let spans = collector.spans();
    let known: BTreeMap<&[u8], &Span> = spans.iter().map(|span| (&span.span_id[..], span)).collect();
    let mut stored = BTreeSet::new();
    for execute in spans.iter().filter(|span| span.name == "execute") {
        let height = height_above(&known, execute);
        assert!(number(height, "round").is_some(), "{height:?}");
        assert_eq!(number(height, "transactions"), number(execute, "transactions"));
        let cause = known.get(&height.parent_span_id[..]).map(|cause| cause.name.as_str());
        assert!(matches!(cause, None | Some("sync")), "only blocks that a peer gave have a cause: {cause:?}");
        let written = spans.iter().filter(|span| span.name == "store" && span.parent_span_id == execute.span_id);
        assert_eq!(written.count(), 1, "what a block leads to is written once");
        assert!(stored.insert(number(execute, "height")), "{execute:?} comes twice");
    }
    // The end may have cut off the height under way.
    for step in spans.iter().filter(|span| STEPS.contains(&span.name.as_str())) {
        if stored.contains(&number(step, "height")) {
            height_above(&known, step);
        }
    }
}
