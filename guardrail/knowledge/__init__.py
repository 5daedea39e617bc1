"""The user's own documents as evidence: an index on the disk, searched for what an answer claims."""

from guardrail.knowledge.index import Index, IndexFacts
from guardrail.knowledge.indexing import FileSeen, Indexed, index_folder
from guardrail.knowledge.retrieving import Retriever

__all__ = ["FileSeen", "Index", "IndexFacts", "Indexed", "Retriever", "index_folder"]
