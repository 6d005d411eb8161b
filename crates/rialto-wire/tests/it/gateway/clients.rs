//! What stock clients send, captured from openai 3.57, anthropic 2.14 (Python) and boto3 1.43: a first
//! request each, and second turns in which they hand back what they were answered, unchanged.

use serde_json::{Value, json};

use super::*;

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn first_requests_are_carried_to_every_server() {
    for (inbound, text) in [
        (
            Inbound::Chat,
            r#"{"model":"claude-m","stream":true,"messages":[{"role":"user","content":"hi"}],"max_completion_tokens":50,"tools":[{"type":"function","function":{"name":"weather","description":"d","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]}"#,
        ),
        (
            Inbound::Responses,
            r#"{"model":"claude-m","stream":true,"input":"hi","max_output_tokens":50,"tools":[{"type":"function","name":"weather","description":"d","parameters":{"type":"object","properties":{}},"strict":false}]}"#,
        ),
        (
            Inbound::Messages,
            r#"{"max_tokens":50,"messages":[{"role":"user","content":"hi"}],"model":"claude-m","system":[{"type":"text","text":"s"}],"tools":[{"name":"weather","input_schema":{"type":"object","properties":{}}}],"stream":true}"#,
        ),
        (
            Inbound::Converse,
            r#"{"messages": [{"role": "user", "content": [{"text": "hi"}]}], "inferenceConfig": {"maxTokens": 50}, "toolConfig": {"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": {"type": "object"}}}}]}}"#,
        ),
    ] {
        for (outbound, _) in outbound() {
            let (_, losses) = sent(inbound, outbound, &body(text));
            assert_eq!(losses, "", "{inbound:?} {outbound:?}");
        }
    }
}

#[test]
fn a_second_turn_hands_calls_back() {
    let want = json!([
        { "role": "user", "content": [{ "type": "text", "text": "hi" }] },
        { "role": "assistant", "content": [
            { "type": "text", "text": "Both." },
            { "type": "tool_use", "id": "c1", "name": "weather", "input": { "city": "Oslo" } },
            { "type": "tool_use", "id": "c2", "name": "weather", "input": { "city": "Rome" } },
        ] },
        { "role": "user", "content": [
            { "type": "tool_result", "tool_use_id": "c1", "content": [{ "type": "text", "text": "ok" }] },
            { "type": "tool_result", "tool_use_id": "c2", "content": [{ "type": "text", "text": "ok" }] },
            { "type": "text", "text": "go" },
        ] },
    ]);
    for (inbound, text) in [
        (
            Inbound::Chat,
            r#"{"model":"claude-m","messages":[{"role":"user","content":"hi"},{"content":"Both.","refusal":null,"role":"assistant","tool_calls":[{"id":"c1","function":{"arguments":"{\"city\":\"Oslo\"}","name":"weather"},"type":"function"},{"id":"c2","function":{"arguments":"{\"city\":\"Rome\"}","name":"weather"},"type":"function"}]},{"role":"tool","tool_call_id":"c1","content":"ok"},{"role":"tool","tool_call_id":"c2","content":"ok"},{"role":"user","content":"go"}],"max_tokens":4000}"#,
        ),
        (
            Inbound::Responses,
            r#"{"model":"claude-m","include":["reasoning.encrypted_content"],"input":[{"role":"user","content":"hi"},{"id":"msg_x1_0","content":[{"annotations":[],"text":"Both.","type":"output_text"}],"role":"assistant","status":"completed","type":"message"},{"arguments":"{\"city\":\"Oslo\"}","call_id":"c1","name":"weather","type":"function_call","id":"fc_x1_1","status":"completed"},{"arguments":"{\"city\":\"Rome\"}","call_id":"c2","name":"weather","type":"function_call","id":"fc_x1_2","status":"completed"},{"type":"function_call_output","call_id":"c1","output":"ok"},{"type":"function_call_output","call_id":"c2","output":"ok"},{"role":"user","content":"go"}],"max_output_tokens":4000,"store":false}"#,
        ),
    ] {
        let (written, losses) = sent(inbound, Outbound::Messages, &body(text));
        assert_eq!(written["messages"], want, "{inbound:?}");
        // Neither gave the tools again.
        assert_eq!(losses, "tools_missing", "{inbound:?}");
    }
}

#[test]
fn a_second_turn_hands_signed_thoughts_back_through_both_clients_that_can() {
    for (inbound, outbound, text) in [
        (
            Inbound::Responses,
            Outbound::Messages,
            r#"{"model":"claude-m","include":["reasoning.encrypted_content"],"input":[{"role":"user","content":"hi"},{"id":"rs_x1_0","summary":[{"text":"Hm.","type":"summary_text"}],"type":"reasoning","encrypted_content":"rialto1.signature.c2ln"},{"id":"rs_x1_1","summary":[],"type":"reasoning","encrypted_content":"rialto1.redacted.b3BhcXVl"},{"id":"msg_x1_2","content":[{"annotations":[],"text":"Hi","type":"output_text"}],"role":"assistant","status":"completed","type":"message"},{"role":"user","content":"go"}],"max_output_tokens":4000,"store":false}"#,
        ),
        (
            Inbound::Messages,
            Outbound::Converse,
            r#"{"max_tokens":4000,"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"signature":"c2ln","thinking":"Hm.","type":"thinking"},{"data":"b3BhcXVl","type":"redacted_thinking"},{"text":"Hi","type":"text"}]},{"role":"user","content":[{"type":"text","text":"go"}]}],"model":"claude-m"}"#,
        ),
    ] {
        let (written, losses) = sent(inbound, outbound, &body(text));
        assert_eq!(losses, "", "{inbound:?}");
        let want = match outbound {
            Outbound::Converse => json!([
                { "reasoningContent": { "reasoningText": { "text": "Hm.", "signature": "c2ln" } } },
                { "reasoningContent": { "redactedContent": "b3BhcXVl" } },
                { "text": "Hi" },
            ]),
            _ => json!([
                { "type": "thinking", "thinking": "Hm.", "signature": "c2ln" },
                { "type": "redacted_thinking", "data": "b3BhcXVl" },
                { "type": "text", "text": "Hi" },
            ]),
        };
        assert_eq!(written["messages"][1]["content"], want);
    }
}
