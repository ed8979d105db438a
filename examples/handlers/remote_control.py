"""A call that a web page steers: it greets who answers, and from then on does what updates of the call say.

An update's Arguments: `say` (a text), `press` (keys, sent to the far end as tones), or `end`. Place the call with a header for the far
end, for example `SipHeaders={"X-Requestor": "ada"}`, and steer it with UpdateSipMediaApplicationCall. Serve it with
`--function remote=python:examples/handlers/remote_control.py:handler`.
"""


def handler(event, context):
    kind = event["InvocationEventType"]
    action = event.get("ActionData") or {}
    details = event["CallDetails"]
    attributes = details.get("TransactionAttributes") or {}
    if kind == "NEW_OUTBOUND_CALL":
        return answer([], action.get("Parameters", {}).get("Arguments", {}))
    if kind == "CALL_ANSWERED":
        return answer([speak(f"This is a call for {attributes.get('name', 'you')}.")], attributes)
    if kind == "CALL_UPDATE_REQUESTED":
        leg = details["Participants"][0]["CallId"]
        return answer(list(wanted(action["Parameters"]["Arguments"], leg)), attributes)
    if kind == "ACTION_FAILED":
        print(f"{action['Type']} failed: {action.get('ErrorType')}, {action.get('ErrorMessage')}")
    return answer([], attributes)


def wanted(arguments, leg):
    if "say" in arguments:
        yield speak(arguments["say"])
    if "press" in arguments:
        yield {"Type": "SendDigits", "Parameters": {"CallId": leg, "Digits": arguments["press"], "ToneDurationInMilliseconds": 100}}
    if "end" in arguments:
        yield {"Type": "Hangup", "Parameters": {"CallId": leg, "SipResponseCode": "0"}}


def answer(actions, attributes):
    return {"SchemaVersion": "1.0", "Actions": actions, "TransactionAttributes": attributes}


def speak(text):
    return {
        "Type": "Speak",
        "Parameters": {"Text": text, "Engine": "neural", "LanguageCode": "en-US", "TextType": "text", "VoiceId": "Joanna"},
    }
