"""What the engine itself says, by language: labels, dates, and the sentences of the built-in reasons.

A policy brings its own sentences; these are the rest. English is complete, and what another language lacks is said in
English.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: The language that everything is written in.
FALLBACK: Final = "en"

LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "policy": "policy {name} {version}",
        "zone": "times in {zone}",
        "opened": "the case is opened",
        "clock": "clock",
        "host": "host",
        "breach": "{name} runs out",
        "remind": "reminder of {name}",
        "wake": "a moment comes",
        "migrated": "goes on under version {name}",
        "stays": "stays in",
        "known": "changes nothing",
        "unheard": "no state acts on it",
        "refused": "refused",
        "undecided": "undecided",
        "missing": "missing",
        "looked": "looked at",
        "with": "with",
        "told": "told",
        "why": "why",
        "rule": "rule",
        "decision": "decision",
        "clocks": "clocks",
        "until": "{name} until {due}",
        "paused": "{name} paused, {left} left",
        "asked": "asks for",
        "money": "money",
        "by": "by {via}",
        "approved": "approved by {who}",
        "declined": "declined by {who}",
        "attention": "needs a person",
        "seconds": "{count} seconds",
        "days": "{count} days",
        "business days": "{count} business days",
        "end_of_day": "end of day",
        "events": "The events of the case end here.",
        "until_reached": "Stopped at {at}.",
        "quiet": "From here on nothing happens by itself.",
        "bound": "Stopped after {count} steps; more would follow.",
        "final": "{state} is final.",
        "waits": "{state} waits for {roles}.",
        "waits_nobody": "{state} waits for nobody in particular.",
        "details": "{payout} waits for {missing}.",
        "next": "Next by itself, at {at}: {what}.",
        "primary": "read in its own text",
        "secondary": "read in a report of it",
        "recalled": "recalled",
        "assumed": "assumed",
        "and": " and ",
        "comma": ", ",
        "yes": "yes",
        "no": "no",
        "always": "always",
        "window": "{opens} to {closes}",
        "sensitive": "(sensitive)",
    },
    "zh": {
        "policy": "政策 {name} {version}",
        "zone": "时间按 {zone}",
        "opened": "个案开立",
        "clock": "时钟",
        "host": "系统",
        "breach": "{name} 超时",
        "remind": "{name} 提醒",
        "wake": "约定时刻已到",
        "migrated": "改用版本 {name}",
        "stays": "停留在",
        "known": "无变化",
        "unheard": "无状态对此作出反应",
        "refused": "拒绝",
        "undecided": "未决",
        "missing": "缺少",
        "looked": "已查看",
        "with": "内容",
        "told": "得知",
        "why": "原因",
        "rule": "规则",
        "decision": "决定",
        "clocks": "时钟",
        "until": "{name} 截至 {due}",
        "paused": "{name} 已暂停，剩余 {left}",
        "asked": "要求",
        "money": "款项",
        "by": "经 {via}",
        "approved": "{who} 已批准",
        "declined": "{who} 已拒绝",
        "attention": "需要人工处理",
        "seconds": "{count} 秒",
        "days": "{count} 天",
        "business days": "{count} 个工作日",
        "end_of_day": "当日结束",
        "events": "个案的事件到此为止。",
        "until_reached": "停在 {at}。",
        "quiet": "此后不再有任何事自行发生。",
        "bound": "已在 {count} 步后停止；之后还有更多。",
        "final": "{state} 为最终状态。",
        "waits": "{state} 等待 {roles}。",
        "waits_nobody": "{state} 不等待特定的人。",
        "details": "{payout} 等待 {missing}。",
        "next": "接下来自行发生，{at}：{what}。",
        "primary": "已读原文",
        "secondary": "据他人转述",
        "recalled": "凭记忆",
        "assumed": "假定",
        "and": "和",
        "comma": "、",
        "yes": "是",
        "no": "否",
        "always": "不限",
        "window": "{opens} 至 {closes}",
        "sensitive": "（敏感）",
    },
}

MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

#: Sentences of the built-in reasons, the fullest first: the first one is said whose values are all there.
REASONS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "en": {
        "not_allowed": ("No rule allows this here.",),
        "not_accepted": (
            "{event} is not accepted in {state}; {accepted} would be.",
            "{event} is not accepted in {state}.",
            "This is not accepted here.",
        ),
        "closed": ("The case is closed.",),
        "unknown_event": (
            "The policy knows no event {event}: {hint}",
            "The policy knows no event {event}.",
            "The policy knows no such event.",
        ),
        "invalid_data": (
            "The data does not fit {event} at {field}: {problem}; {hint}",
            "The data does not fit {event} at {field}: {problem}.",
            "The data does not fit {event}: {problem}.",
            "The data does not fit the event.",
        ),
        "role_not_allowed": (
            "{role} may not send {event}; {allowed} may.",
            "{role} may not send {event}.",
            "This role may not send the event.",
        ),
        "may_not_approve": (
            "{actor} may not approve this: whoever asked for it or has approved it already may not.",
            "Whoever asked for this or has approved it already may not approve it.",
        ),
        "missing_facts": ("Not yet known: {missing}.", "Facts that decide it are not yet known."),
        "rule_failed": ("A rule failed: {problem}.", "A rule failed."),
        "not_migrated": (
            "The case stays under version {from}, for version {to} cannot take it over: {problem}.",
            "The case stays under its version.",
        ),
    },
    "zh": {
        "not_allowed": ("此处没有规则允许这样做。",),
        "not_accepted": (
            "{state} 状态下不接受 {event}；可接受 {accepted}。",
            "{state} 状态下不接受 {event}。",
            "此处不接受该事件。",
        ),
        "closed": ("个案已关闭。",),
        "unknown_event": ("政策中没有 {event} 事件。", "政策中没有该事件。"),
        "invalid_data": (
            "数据与 {event} 不符：{field}：{problem}。",
            "数据与 {event} 不符：{problem}。",
            "数据与事件不符。",
        ),
        "role_not_allowed": (
            "{role} 不能发送 {event}；{allowed} 可以。",
            "{role} 不能发送 {event}。",
            "该角色不能发送此事件。",
        ),
        "may_not_approve": (
            "{actor} 不能批准：申请人或已批准者不能批准。",
            "申请人或已批准者不能批准。",
        ),
        "missing_facts": ("尚不知道：{missing}。", "决定所需的事实尚不完整。"),
        "rule_failed": ("规则计算失败：{problem}。", "规则计算失败。"),
        "not_migrated": ("个案仍适用版本 {from}，版本 {to} 无法接管：{problem}。", "个案仍适用原版本。"),
    },
}


def languages_of(language: str) -> tuple[str, ...]:
    """Return the languages to try, nearest first.

    >>> languages_of("zh-Hant-TW")
    ('zh-Hant-TW', 'zh', 'en')
    """
    return tuple(dict.fromkeys((language, language.partition("-")[0], FALLBACK)))


def label(key: str, language: str = FALLBACK, /, **values: object) -> str:
    """Return one of the engine's own labels, its values filled in.

    >>> label("until", "en", name="review", due="2026-03-05 20:00")
    'review until 2026-03-05 20:00'
    """
    found = next(LABELS[tag][key] for tag in languages_of(language) if key in LABELS.get(tag, {}))
    return found.format(**values)
