-- AlterTable
ALTER TABLE "node" ADD COLUMN "agent_version" TEXT, ADD COLUMN "last_seen_at" TIMESTAMPTZ(3);
