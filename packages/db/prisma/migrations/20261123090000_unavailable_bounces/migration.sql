-- AlterTable
ALTER TABLE "node" ADD COLUMN "seen_at" TIMESTAMPTZ(3), ADD COLUMN "unavailable" BOOLEAN NOT NULL DEFAULT false;

-- What Prisma's schema has no words for.

ALTER TABLE "node" ADD CONSTRAINT "node_unavailable_bounce" CHECK (NOT "unavailable" OR ("role" = 'bounce' AND "kind" = 'agent'));
