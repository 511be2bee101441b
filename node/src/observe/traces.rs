//! The log on standard error and, where they are wanted, traces to a collector (OTLP over gRPC).

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use base_types::{
    OrgId,
    fault::{Code, Fault},
};
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SdkTracer, SdkTracerProvider, SpanData, SpanExporter},
};
use tracing::{Level, Subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{Filtered, Targets},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::config::Folder;

/// A collector has so long to take a batch, and the end of the node waits so long for the last one.
const PATIENCE: Duration = Duration::from_secs(3);

/// Crates whose spans are sent, by the beginnings of their names; the exporter's own would beget further ones.
const OURS: [&str; 9] = ["heqi", "ledger", "notary", "runner", "planner", "portal", "mpc", "connectors", "base"];

/// The way to the collector, if there is one.
pub struct Traces(Option<SdkTracerProvider>);

/// Begins the log of a command that is no node.
pub fn log() {
    subscribe(None);
}

/// Begins the log of a node, and its traces where `node.toml` names a collector. Called on a runtime, which sends them.
///
/// # Errors
/// [`Code::BadRequest`] when the collector's address is malformed; the log has begun all the same.
pub fn begin(folder: &Folder) -> Result<Traces, Fault> {
    // A configuration that cannot be read is told by who opens the folder.
    let wanted = folder.read_config().ok().and_then(|config| Some((config.traces?, config.org)));
    let provider = wanted.map(|(address, org)| provider(&address, &org)).transpose();
    let tracer = provider.as_ref().ok().and_then(Option::as_ref).map(|provider| provider.tracer("heqi"));
    subscribe(tracer);
    Ok(Traces(provider?))
}

impl Traces {
    /// Sends what is left. The runtime must still be there.
    pub fn end(self) {
        let ended = self.0.map_or(Ok(()), |provider| provider.shutdown_with_timeout(PATIENCE));
        if let Err(why) = ended {
            tracing::warn!(%why, "the last traces were not sent");
        }
    }
}

fn provider(address: &str, org: &OrgId) -> Result<SdkTracerProvider, Fault> {
    let bad = |why: String| Fault::new(Code::BadRequest, format!("send traces to {address}"), why);
    if !address.starts_with("http://") {
        return Err(bad("http://host:port is expected".to_owned()));
    }
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic();
    let exporter =
        exporter.with_endpoint(address).with_timeout(PATIENCE).build().map_err(|why| bad(why.to_string()))?;
    let exporter = Telling { exporter, failing: AtomicBool::new(false) };
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource(org)).build())
}

/// Who sends the traces.
fn resource(org: &OrgId) -> Resource {
    let about = [KeyValue::new("org", org.to_string()), KeyValue::new("service.version", env!("CARGO_PKG_VERSION"))];
    Resource::builder().with_service_name("heqi").with_attributes(about).build()
}

/// What HEQI_LOG asks for, otherwise warnings. The chain's spans would stand before every line that names the height
/// itself, so the log is without them unless it asks for them by name.
fn logged(wanted: Option<&str>) -> EnvFilter {
    let wanted = wanted.filter(|wanted| !wanted.is_empty());
    let chosen = wanted.and_then(|wanted| EnvFilter::try_new(format!("ledger_chain::spans=off,{wanted}")).ok());
    chosen.unwrap_or_else(|| EnvFilter::new("warn,arc_malachitebft=error"))
}

fn subscribe(tracer: Option<SdkTracer>) {
    let wanted = std::env::var("HEQI_LOG").ok();
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(logged(wanted.as_deref()));
    tracing_subscriber::registry().with(log).with(tracer.map(spans)).init();
}

/// Makes traces of this program's own spans.
fn spans<S>(tracer: SdkTracer) -> Filtered<OpenTelemetryLayer<S, SdkTracer>, Targets, S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let own = Targets::new().with_targets(OURS.map(|name| (name, Level::INFO)));
    tracing_opentelemetry::layer().with_tracer(tracer).with_filter(own)
}

/// An exporter that tells in the log when it begins to fail and when it works again.
#[derive(Debug)]
struct Telling {
    exporter: opentelemetry_otlp::SpanExporter,
    failing: AtomicBool,
}

impl SpanExporter for Telling {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.exporter.export(batch).await;
        let failed = self.failing.swap(sent.is_err(), Ordering::Relaxed);
        match &sent {
            Err(why) if !failed => tracing::warn!(%why, "traces cannot be sent, some are lost"),
            Ok(()) if failed => tracing::info!("traces are sent again"),
            _ => {}
        }
        sent
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::Status;

    use super::*;

    #[derive(Debug, Clone, Default)]
    struct Kept(Arc<Mutex<Vec<SpanData>>>);

    impl SpanExporter for Kept {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().extend(batch);
            Ok(())
        }
    }

    #[test]
    fn a_run_is_a_span_with_its_steps_below_it_and_foreign_spans_are_not_sent() {
        let kept = Kept::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(kept.clone()).build();
        let subscriber = tracing_subscriber::registry().with(spans(provider.tracer("heqi")));
        tracing::subscriber::with_default(subscriber, || {
            let run = crate::wiring::runs::span(&base_types::Digest([7; 32]), 2);
            for step in ["read", "join"] {
                drop(crate::wiring::runs::step_span(&run, step));
            }
            tracing::info_span!(target: "h2", "foreign").in_scope(|| {});
            tracing::debug_span!("fine").in_scope(|| {});
            run.record("otel.status_description", "HQ-4001");
        });
        let spans = kept.0.lock().unwrap();
        let names: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
        assert_eq!(names, ["read", "join", "run"]);
        let run = &spans[2];
        assert!(spans[..2].iter().all(|step| step.parent_span_id == run.span_context.span_id()));
        assert_eq!(run.status, Status::error("HQ-4001"));
        let job = run.attributes.iter().find(|pair| pair.key.as_str() == "job").expect("the job is named");
        assert_eq!(job.value.as_str(), "07".repeat(32));
    }

    #[test]
    fn the_log_leaves_out_the_spans_of_the_chain_unless_they_are_asked_for() {
        // What the log has of the chain's spans, and of its lines, at the level of information.
        let has = |wanted: Option<&str>| {
            let subscriber = tracing_subscriber::registry().with(logged(wanted));
            tracing::subscriber::with_default(subscriber, || {
                let spans = tracing::span_enabled!(target: "ledger_chain::spans", Level::INFO);
                (spans, tracing::event_enabled!(target: "ledger_chain::sync", Level::INFO))
            })
        };
        assert_eq!([None, Some(""), Some("info,[")].map(has), [(false, false); 3], "warnings");
        assert_eq!(["info", "ledger_chain=debug"].map(|wanted| has(Some(wanted))), [(false, true); 2]);
        assert_eq!(has(Some("info,ledger_chain::spans=info")), (true, true));
    }

    #[test]
    fn an_address_that_is_no_http_address_is_refused() {
        let org = OrgId::new("audit").unwrap();
        for address in ["127.0.0.1:4317", "https://collector:4317", ""] {
            assert_eq!(provider(address, &org).err().map(|fault| fault.code), Some(Code::BadRequest), "{address}");
        }
    }

    #[test]
    fn traces_name_the_service_and_the_organisation() {
        let resource = resource(&OrgId::new("audit").unwrap());
        let value = |key: &'static str| resource.get(&key.into()).map(|value| value.to_string());
        assert_eq!(value("service.name").as_deref(), Some("heqi"));
        assert_eq!(value("org").as_deref(), Some("audit"));
    }
}
