//! The messages and services generated from `proto/heqi.proto`.
#![allow(missing_docs, clippy::all)]

tonic::include_proto!("heqi.v1");
