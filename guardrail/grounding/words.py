"""The words by which prompts name their grounding, their questions and their requests."""

from __future__ import annotations

__all__ = [
    "ANSWER_NAMES",
    "CONTEXT_NOUNS",
    "CREATIVE_STARTS",
    "EXAMPLE_WORDS",
    "GREETINGS",
    "OTHER_NAMES",
    "PASTED_NOUNS",
    "POINTING",
    "QUESTION_NAMES",
    "REQUEST_PHRASES",
    "REQUEST_STARTS",
    "STATEMENT_STARTS",
    "STATEMENT_VERBS",
    "words",
]


def words(listed: str) -> frozenset[str]:
    """The set of the words of a string."""
    return frozenset(listed.split())


CONTEXT_NOUNS = words(
    "context contexts source sources document documents doc docs passage passages article articles excerpt"
    " excerpts reference references background text texts chunk chunks snippet snippets information evidence"
    " knowledge base facts material materials paragraph paragraphs results"
    " extracts extract records transcript"
    " abstract section quotes data faq"
    " record profile details description specification specifications specs inventory catalog catalogue schedule"
    " timetable itinerary menu pricing"
    # German, French, Spanish, Italian, Portuguese, Dutch, Russian
    " kontext quelle quellen dokument dokumente auszug auszüge textabschnitt hintergrund informationen"
    " dokumente dokumenten auszügen textabschnitte textabschnitten abschnitte abschnitten textauszüge textpassagen"
    " contexte extrait extraits texte documentos documento contexto fuente fuentes texto fragmento fragmentos"
    " textos extracto extractos pasajes trechos trecho estratti brani brano testi"
    " contesto fonte fonti documenti testo fontes bron bronnen documenten контекст источники документы текст"
    # Chinese, Japanese, Korean
    " 上下文 背景 资料 参考资料 参考文档 文档 来源 已知信息 背景信息 コンテキスト"
    " 文脈 参考情報 資料 문맥 컨텍스트 자료 문서 참고자료"
)
"""What a heading or an introduction calls retrieved text."""

PASTED_NOUNS = words(
    "email mail letter message review story essay report notes note minutes post contract clause speech"
    " announcement text paragraph transcript log chapter poem abstract conversation brief statement"
)
"""What users call text of their own that they paste."""

POINTING = words(
    "following below these this here given provided retrieved folgenden folgende folgender suivant suivante suivants"
    " suivantes voici siguiente siguientes seguinte seguintes seguente seguenti ecco volgende"
)
"""Words by which a line points at what comes next."""

CREATIVE_STARTS = words("write compose draft create generate invent design make produce name suggest")
"""First words of a request for a text, about which the sentences after it that begin with "it" speak."""

QUESTION_NAMES = words(
    "question questions query q request human user frage pregunta domanda pergunta vraag вопрос"
    " 问题 问题是 用户问题 質問 질문"
)
ANSWER_NAMES = words(
    "answer a antwort réponse respuesta risposta resposta antwoord ответ 回答 答案 答え 답변 response reply"
)
OTHER_NAMES = words(
    "instruction instructions task tasks rules rule guidelines guideline format"
    " output response tone persona role"
    " goal goals requirements constraints note history conversation assistant ai"
    " bot system objective style language"
    " anweisung anweisungen aufgabe consigne consignes instrucciones tarea istruzioni"
    " instruções steps step json"
    " schema answer question questions query example examples beispiel"
    " beispiele exemple ejemplo esempio input"
    " criteria notice identity behavior behaviour tools limits policy policies scope audience"
)
"""Headings under which nothing can be held to be true; as a word of a heading they rule out context."""

EXAMPLE_WORDS = words("example examples demonstration demonstrations few_shot fewshot sample samples")

GREETINGS = words(
    "hi hello hey thanks thank cheers ok okay great perfect sorry hallo hola bonjour ciao danke merci gracias"
)

REQUEST_STARTS = words(
    "summarise summarize write explain tell give list find search look"
    " translate convert rewrite rephrase draft"
    " create make show describe compare classify extract answer reply respond return"
    " use keep be do don't dont"
    " never always please let let's ensure remember follow avoid include cite quote provide suggest recommend"
    " help say name identify calculate compute generate compose fix debug"
    " improve shorten expand correct check"
    " analyse analyze evaluate discuss outline plan design add remove change"
    " update format output end start begin"
    " choose pick decide act assume imagine pretend consider think take"
    " read review proofread condense paraphrase"
    " if you your using given based note ignore only limit focus try mention speak refer stick base track get"
    " can could would will should may shall might what who whom whose which when"
    " where why how is are was were"
    " does did has have am continue repeat define count sort rank group"
    " fill complete solve prove implement refactor"
    " test run call send book order remind set put turn open tell,"
    " now, then, first, finally, respond, convert"
    # German
    " fasse schreib schreibe erkläre nenne übersetze bitte sag sage gib beantworte antworte vergleiche liste"
    " wer wie wo wann warum welche welcher welches kannst können"
    # French
    " résume résumez écris écrivez explique expliquez donne donnez traduis"
    " traduisez réponds répondez dis liste"
    " qui que quoi où quand comment pourquoi combien peux pouvez"
    # Spanish, Portuguese, Italian, Dutch
    " resume escribe explica traduce dime da responde enumera quién qué"
    " cuándo dónde cómo puedes escreva resuma"
    " traduza responda riassumi scrivi spiega traduci rispondi dimmi elenca schrijf vertaal leg vat geef"
)
"""First words that make a sentence a request, a question or an instruction."""

REQUEST_PHRASES = (
    "please",
    "can you",
    "could you",
    "would you",
    "tell me",
    "help me",
    "it should",
    "they should",
    "it must",
    "they must",
    "make sure",
    "i want you",
    "i need you",
    "i'd like",
    "i would like",
    "i want to know",
    "i wonder",
    "i need help",
    "let me know",
    "you are a",
    "you must",
    "you should",
    "your task",
    "your job",
    "do not ",
    "don't ",
    "answer the ",
    "answer in ",
    "请",
    "根据上述",
    "根据以上",
    "根据已知",
    "翻译",
    "总结",
    "ください",
    "bitte ",
    "por favor",
    "s'il te",
    "s'il vous",
)
"""What makes a short sentence a request wherever it stands."""

STATEMENT_STARTS = words(
    "i i'm i've i'll my we we're we've our the a an there it it's he she"
    " they his her their its in on at since"
    " last yesterday today tomorrow after before because although some all each every"
    " both many most no one two"
    " three four five"
)
STATEMENT_VERBS = words(
    "is are was were am has have had will costs cost lives live says"
    " said leaves leaves starts opens closes weighs"
    " owns runs goes went came got bought sold paid sent works worked needs means became won lost rose fell"
)
