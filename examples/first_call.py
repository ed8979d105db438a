"""A first call, with an ordinary AWS SDK: nothing here knows of Outdial, only the environment does (endpoint, keys, Region)."""

import sys

import boto3

LAMBDA = "arn:aws:lambda:us-east-1:000000000000:function:reminder"
to = sys.argv[1] if len(sys.argv) > 1 else "+12065550150"
voice = boto3.client("chime-sdk-voice")

# A SIP media application: events of its calls go to the function that the ARN names.
known = {app["Name"]: app for app in voice.list_sip_media_applications()["SipMediaApplications"]}
application = known.get("reminders")
if application is None:
    made = voice.create_sip_media_application(AwsRegion="us-east-1", Name="reminders", Endpoints=[{"LambdaArn": LAMBDA}])
    application = made["SipMediaApplication"]

# A number to call from: one that is owned already, or the first that can be had.
numbers = [one["E164PhoneNumber"] for one in voice.list_phone_numbers()["PhoneNumbers"]]
if not numbers:
    numbers = voice.search_available_phone_numbers(Country="US", MaxResults=1)["E164PhoneNumbers"]
    voice.create_phone_number_order(ProductType="SipMediaApplicationDialIn", E164PhoneNumbers=numbers)

call = voice.create_sip_media_application_call(
    FromPhoneNumber=numbers[0],
    ToPhoneNumber=to,
    SipMediaApplicationId=application["SipMediaApplicationId"],
    ArgumentsMap={"name": "Ada", "when": "Tuesday at nine"},
)
print(call["SipMediaApplicationCall"]["TransactionId"])
