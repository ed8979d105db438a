// The same reminder in JavaScript: speaks, asks for a key, records what they have to say, hangs up.
// Serve it with `--function reminder=node:examples/handlers/reminder.mjs:handler`.

const BUCKET = process.env.RECORDINGS_BUCKET ?? 'recordings';
const VOICE = { Engine: 'neural', LanguageCode: 'en-US', TextType: 'text', VoiceId: 'Joanna' };

export const handler = async (event) => {
  const action = event.ActionData ?? {};
  const attributes = event.CallDetails.TransactionAttributes ?? {};
  switch (event.InvocationEventType) {
    case 'NEW_OUTBOUND_CALL':
      // Actions are ignored here, attributes are kept for the later events.
      return answer([], action.Parameters?.Arguments ?? {});
    case 'CALL_ANSWERED':
      return answer([ask(attributes)], attributes);
    case 'ACTION_SUCCESSFUL':
      if (action.Type === 'SpeakAndGetDigits') {
        console.log(`confirmed with ${action.ReceivedDigits}`);
        return answer([say('Thank you. Is there anything that we should know? Please speak now.'), record()], attributes);
      }
      if (action.Type === 'RecordAudio') return answer([say('We have noted that. Goodbye.'), hangUp()], attributes);
      return answer([], attributes);
    case 'ACTION_FAILED':
      return answer([hangUp()], attributes);
    default:
      return answer([], attributes);
  }
};

const answer = (Actions, TransactionAttributes) => ({ SchemaVersion: '1.0', Actions, TransactionAttributes });

const say = (Text) => ({ Type: 'Speak', Parameters: { Text, ...VOICE } });

const ask = ({ name = 'there', when = 'Monday at noon' }) => ({
  Type: 'SpeakAndGetDigits',
  Parameters: {
    SpeechParameters: { Text: `Hello ${name}. This is a reminder of your appointment on ${when}. Please press 1 to confirm.`, ...VOICE },
    FailureSpeechParameters: { Text: 'That was not 1.' },
    InputDigitsRegex: '^1$',
    MinNumberOfDigits: 1,
    MaxNumberOfDigits: 1,
    Repeat: 3,
    RepeatDurationInMilliseconds: 8000,
    InBetweenDigitsDurationInMilliseconds: 3000,
  },
});

const record = () => ({
  Type: 'RecordAudio',
  Parameters: {
    DurationInSeconds: 30,
    SilenceDurationInSeconds: 3,
    RecordingTerminators: ['#'],
    RecordingDestination: { Type: 'S3', BucketName: BUCKET, Prefix: 'reminders' },
  },
});

const hangUp = () => ({ Type: 'Hangup', Parameters: { SipResponseCode: '0' } });
